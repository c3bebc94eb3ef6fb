/** Values by the levels of a topic name or filter, as far as such levels are in use. */

/** One level. The value belongs to the name that ends here. */
export class LevelNode<Value> {
  value: Value | undefined;
  /** Most levels have one child, for which a map would take more memory than all the rest. */
  #onlyLevel: string | undefined;
  #onlyChild: LevelNode<Value> | undefined;
  /** Where there are several: all children. */
  #children: Map<string, LevelNode<Value>> | undefined;

  get hasChildren(): boolean {
    return this.#onlyChild !== undefined || this.#children !== undefined;
  }

  child(level: string): LevelNode<Value> | undefined {
    if (this.#children !== undefined) return this.#children.get(level);
    return this.#onlyLevel === level ? this.#onlyChild : undefined;
  }

  /** The child of a level, made where there is none. */
  makeChild(level: string): LevelNode<Value> {
    const known = this.child(level);
    if (known !== undefined) return known;
    const made = new LevelNode<Value>();
    if (this.#children !== undefined) {
      this.#children.set(level, made);
    } else if (this.#onlyLevel === undefined || this.#onlyChild === undefined) {
      this.#onlyLevel = level;
      this.#onlyChild = made;
    } else {
      this.#children = new Map([
        [this.#onlyLevel, this.#onlyChild],
        [level, made],
      ]);
      this.#onlyLevel = undefined;
      this.#onlyChild = undefined;
    }
    return made;
  }

  deleteChild(level: string): void {
    this.#children?.delete(level);
    if (this.#children?.size === 0) this.#children = undefined;
    if (this.#onlyLevel !== level) return;
    this.#onlyLevel = undefined;
    this.#onlyChild = undefined;
  }

  /** The children with their levels, in the order in which they were made. */
  children(): Iterator<[string, LevelNode<Value>]> & Iterable<[string, LevelNode<Value>]> {
    if (this.#children !== undefined) return this.#children.entries();
    const only: [string, LevelNode<Value>][] =
      this.#onlyLevel === undefined || this.#onlyChild === undefined ? [] : [[this.#onlyLevel, this.#onlyChild]];
    return only.values();
  }
}

/** A tree with one value a name. */
export class LevelTree<Value> {
  readonly root: LevelNode<Value> = new LevelNode();

  /** The node of a name, made where there is none. Its value has to be set then. */
  make(name: string): LevelNode<Value> {
    let node = this.root;
    for (const level of name.split("/")) node = node.makeChild(level);
    return node;
  }

  /** The value of a name. */
  get(name: string): Value | undefined {
    let node: LevelNode<Value> | undefined = this.root;
    for (const level of name.split("/")) {
      node = node.child(level);
      if (node === undefined) return undefined;
    }
    return node.value;
  }

  /** Removes a name, and the levels that no other one needs. Gives the value that it had. */
  remove(name: string): Value | undefined {
    const levels = name.split("/");
    const path = [this.root];
    for (const level of levels) {
      const child = path.at(-1)?.child(level);
      if (child === undefined) return undefined;
      path.push(child);
    }
    const last = path.at(-1);
    const removed = last?.value;
    if (last !== undefined) last.value = undefined;
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth];
      if (node === undefined || node.hasChildren || node.value !== undefined) break;
      path[depth - 1]?.deleteChild(levels[depth - 1] ?? "");
    }
    return removed;
  }
}
