/** Every suite, group, key and mode of client authentication with node:tls, openssl and GnuTLS, both ways. */

import { interoperability } from "./interoperability.ts";

interoperability(false);
