import { nobleProvider } from "../src/noble.ts";
import { wycheproof } from "./wycheproof-suite.ts";

wycheproof(nobleProvider, /^(?:ecdh_|ecdsa_|ed25519_|x25519_)/);
