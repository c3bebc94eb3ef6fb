import { nobleProvider } from "../src/noble.ts";
import { wycheproof } from "./wycheproof-suite.ts";

wycheproof(nobleProvider, /^(?:ecdh_|ecdsa_secp(?:384|521)|x25519_asn)/);
