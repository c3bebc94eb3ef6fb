import { nodeProvider } from "../src/node.ts";
import { wycheproof } from "./wycheproof-suite.ts";

wycheproof(nodeProvider, /^(?:ecdh_|ecdsa_secp(?:384|521))/);
