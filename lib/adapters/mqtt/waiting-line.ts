/** Dropped places are given back once there are so many, and more of them than taken ones. */
const COMPACT_AT = 1_024;

/** First in, first out; taking one out is cheap however many wait. */
export class WaitingLine<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The first goes. */
  drop(): void {
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  reduce<R>(step: (result: R, item: T) => R, start: R): R {
    let result = start;
    for (let at = this.#head; at < this.#items.length; at += 1) {
      const item = this.#items[at];
      if (item !== undefined) result = step(result, item);
    }
    return result;
  }

  /** All of them, in order; the line is empty after. */
  takeAll(): T[] {
    const items = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return items;
  }

  /** Keeps those that pass, in order, and answers the others. */
  takeUnless(keep: (item: T) => boolean): T[] {
    const taken: T[] = [];
    const kept: T[] = [];
    for (const item of this.takeAll()) (keep(item) ? kept : taken).push(item);
    this.#items = kept;
    return taken;
  }
}
