// @ts-check

/** @typedef {Node | string | number | false | null | undefined} Child */
/** @typedef {Record<string, any>} Props */

/** Set as properties: their attributes only say how an element began. */
const PROPERTIES = new Set(['value', 'checked', 'disabled', 'open', 'required', 'readOnly', 'indeterminate', 'max']);

/**
 * Builds an element. `on` holds listeners; `false`, `null` and `undefined` leave an attribute or child out. Text is only
 * ever text.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (PROPERTIES.has(name)) {
      /** @type {any} */ (element)[name] = value;
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...nodes(children));
  return element;
}

/**
 * @param {(Child | Child[])[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  return children
    .flat()
    .filter((child) => child !== false && child !== null && child !== undefined)
    .map((child) => (typeof child === 'number' ? String(child) : /** @type {Node | string} */ (child)));
}

/**
 * Replaces the children of `parent`.
 *
 * @param {Element | DocumentFragment} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
}

/**
 * An icon of the sprite in index.html; the word beside it is what screen readers get.
 *
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * A copy of a `<template>` of index.html, which holds one element.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function copyOf(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
}

/**
 * The element in `root` that `selector` names; its absence is a fault of the page, not a state of it.
 *
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {any}
 */
export function get(root, selector) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`nothing on the page is ${selector}`);
  return found;
}

/**
 * @param {string} text
 * @param {{ kind?: 'primary' | 'danger' | 'danger primary' | '', icon?: string, type?: string, on?: () => void, label?: string,
 *   autofocus?: boolean, disabled?: boolean }} [options]
 */
export function button(text, options = {}) {
  return h(
    'button',
    {
      type: options.type ?? 'button',
      class: `button ${options.kind ?? ''}`.trim(),
      'aria-label': options.label,
      autofocus: options.autofocus,
      disabled: options.disabled ?? false,
      on: options.on ? { click: options.on } : {},
    },
    options.icon ? icon(options.icon) : null,
    text,
  );
}

/**
 * @param {string} text
 * @param {() => void} onClick
 * @param {{ label?: string, danger?: boolean }} [options]
 */
export function link(text, onClick, options = {}) {
  return h(
    'button',
    {
      type: 'button',
      class: options.danger ? 'link danger' : 'link',
      'aria-label': options.label,
      on: { click: onClick },
    },
    text,
  );
}

let lastId = 0;

/** An id that no other element has. */
export function makeId() {
  lastId += 1;
  return `e${lastId}`;
}
