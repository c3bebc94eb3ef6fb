import { nobleProvider } from "../src/noble.ts";
import { wycheproof } from "./wycheproof-suite.ts";

wycheproof(nobleProvider);
