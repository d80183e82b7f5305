// @ts-check

/**
 * What turns one list of rows into another, by id.
 *
 * @template {{ id: string }} R
 * @param {Map<string, R>} shown rows by id, in order
 * @param {R[]} rows
 */
export function difference(shown, rows) {
  const ids = new Set(rows.map((row) => row.id));
  return {
    removed: [...shown.keys()].filter((id) => !ids.has(id)),
    added: rows.filter((row) => !shown.has(row.id)),
    changed: rows.filter((row) => shown.has(row.id) && shown.get(row.id) !== row),
  };
}

/**
 * Keeps the children of an element in step with rows: only what changed is touched, so that focus and open menus stay.
 *
 * @template {{ id: string }} R
 */
export class KeyedList {
  /** @type {Map<string, R>} */
  #rows = new Map();
  /** @type {Map<string, HTMLElement>} */
  #elements = new Map();
  #parent;
  #make;
  #update;

  /**
   * @param {HTMLElement} parent
   * @param {(row: R) => HTMLElement} make
   * @param {(element: HTMLElement, row: R) => void} update
   */
  constructor(parent, make, update) {
    this.#parent = parent;
    this.#make = make;
    this.#update = update;
  }

  /** @param {R[]} rows */
  show(rows) {
    const { removed, added, changed } = difference(this.#rows, rows);
    for (const id of removed) {
      this.#elements.get(id)?.remove();
      this.#elements.delete(id);
    }
    for (const row of added) this.#elements.set(row.id, this.#make(row));
    for (const row of [...added, ...changed]) this.#update(this.#element(row.id), row);
    this.#order(rows);
    this.#rows = new Map(rows.map((row) => [row.id, row]));
  }

  /**
   * Hides the rows that are not named; they stay, so that a search costs no drawing.
   *
   * @param {Set<string>} ids
   */
  showOnly(ids) {
    for (const [id, element] of this.#elements) element.hidden = !ids.has(id);
  }

  /** Draws every row again, for what depends on more than the row: the time, a switch. */
  refresh() {
    for (const row of this.#rows.values()) this.#update(this.#element(row.id), row);
  }

  /** @param {R[]} rows */
  #order(rows) {
    /** @type {Element | null} */
    let next = this.#parent.firstElementChild;
    for (const row of rows) {
      const element = this.#element(row.id);
      if (element === next) next = element.nextElementSibling;
      else this.#parent.insertBefore(element, next);
    }
  }

  /**
   * @param {string} id
   * @returns {HTMLElement}
   */
  #element(id) {
    return /** @type {HTMLElement} */ (this.#elements.get(id));
  }
}
