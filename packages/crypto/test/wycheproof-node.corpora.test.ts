import { nodeProvider } from "../src/node.ts";
import { wycheproof } from "./wycheproof-suite.ts";

wycheproof(nodeProvider);
