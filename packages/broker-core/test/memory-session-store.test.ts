import { MemorySessionStore } from "../src/persistence/memory-session-store.ts";
import { storeConformance } from "./session-store-conformance.ts";

storeConformance(() => {
  const store = new MemorySessionStore();
  return { open: () => store, remove: () => {} };
});
