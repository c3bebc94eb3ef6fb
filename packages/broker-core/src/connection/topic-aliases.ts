/** Topic aliases, MQTT 5.0 §3.3.2.3.4. Both maps end with the connection (MQTT-3.3.2-7). */

/** Aliases that the client sets. */
export class ClientTopicAliases {
  readonly #maximum: number;
  /** Made with the first alias. */
  #topics: Map<number, string> | undefined;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Sets an alias; false where it is above the maximum (MQTT-3.3.2-9, -12). */
  set(alias: number, topicName: string): boolean {
    if (alias > this.#maximum) return false;
    this.#topics ??= new Map();
    this.#topics.set(alias, topicName);
    return true;
  }

  isAllowed(alias: number): boolean {
    return alias <= this.#maximum;
  }

  topicName(alias: number): string | undefined {
    return this.#topics?.get(alias);
  }
}

/** Aliases that the broker sets: the first topics get one each, as many as the client allows (MQTT-3.1.2-26, -27). */
export class ServerTopicAliases {
  readonly #maximum: number;
  readonly #aliases = new Map<string, number>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** What to send for a topic: nothing, the alias beside its name, or the alias alone. Call `sent` when it went out. */
  of(topicName: string): { readonly alias: number; readonly isKnown: boolean } | undefined {
    const known = this.#aliases.get(topicName);
    if (known !== undefined) return { alias: known, isKnown: true };
    return this.#aliases.size < this.#maximum ? { alias: this.#aliases.size + 1, isKnown: false } : undefined;
  }

  sent(topicName: string, alias: number): void {
    this.#aliases.set(topicName, alias);
  }
}
