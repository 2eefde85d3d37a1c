// What a campaign found wrong. One list for all parts, because the first violation decides how the campaign ends.

/** Enough to see what happened; a broken network would repeat itself thousands of times. */
const MAX_PRINTED = 40;

export class Findings {
  #texts = [];

  get count() {
    return this.#texts.length;
  }

  add = (text) => {
    if (this.#texts.includes(text)) return;
    this.#texts.push(text);
    if (this.#texts.length <= MAX_PRINTED) console.log(`VIOLATION: ${text}`);
  };
}
