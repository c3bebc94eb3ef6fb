/** Values by the levels of a topic name or filter, as far as such levels are in use. */

/** One level. The value belongs to the name that ends here. */
export interface LevelNode<Value> {
  children: Map<string, LevelNode<Value>> | undefined;
  value: Value | undefined;
}

/** A tree with one value a name. */
export class LevelTree<Value> {
  readonly root: LevelNode<Value> = { children: undefined, value: undefined };

  /** The node of a name, made where there is none. Its value has to be set then. */
  make(name: string): LevelNode<Value> {
    let node = this.root;
    for (const level of name.split("/")) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) node.children.set(level, (child = { children: undefined, value: undefined }));
      node = child;
    }
    return node;
  }

  /** The value of a name. */
  get(name: string): Value | undefined {
    let node: LevelNode<Value> | undefined = this.root;
    for (const level of name.split("/")) {
      node = node.children?.get(level);
      if (node === undefined) return undefined;
    }
    return node.value;
  }

  /** Removes a name, and the levels that no other one needs. Gives the value that it had. */
  remove(name: string): Value | undefined {
    const levels = name.split("/");
    const path = [this.root];
    for (const level of levels) {
      const child = path.at(-1)?.children?.get(level);
      if (child === undefined) return undefined;
      path.push(child);
    }
    const last = path.at(-1);
    const removed = last?.value;
    if (last !== undefined) last.value = undefined;
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth];
      if (node === undefined || (node.children?.size ?? 0) > 0 || node.value !== undefined) break;
      path[depth - 1]?.children?.delete(levels[depth - 1] ?? "");
    }
    return removed;
  }
}
