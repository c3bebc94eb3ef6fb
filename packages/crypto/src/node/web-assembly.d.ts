/** The part of WebAssembly in use. Node.js has it, but its types do not; a Node.js that runs without a compiler lacks it. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  const Module: new (octets: Uint8Array) => Module;
  class Instance {
    constructor(module: Module);
    readonly exports: Readonly<Record<string, Memory | ((...addresses: readonly number[]) => void) | undefined>>;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
}
