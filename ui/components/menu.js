// @ts-check
import { h, icon, makeId } from './dom.js';

/** @typedef {{ text: string, icon?: string, danger?: boolean, onSelect: () => void } | 'line'} Item */

/** @type {(() => void) | null} */
let closeOpen = null;

/**
 * A button with a menu below it. Arrow keys, Home, End and first letters move; Escape closes.
 *
 * @param {string} label
 * @param {() => Item[] | Promise<Item[]>} items asked for when the menu opens
 */
export function menuButton(label, items) {
  const id = makeId();
  const trigger = h(
    'button',
    { type: 'button', class: 'icon-button', id, 'aria-label': label, 'aria-haspopup': 'menu', 'aria-expanded': 'false' },
    icon('dots'),
  );
  const wrap = h('div', { class: 'menu-wrap' }, trigger);

  /** @param {boolean} refocus */
  const close = (refocus) => {
    if (trigger.getAttribute('aria-expanded') === 'false') return;
    // First, since taking the menu away moves the focus, which closes it.
    trigger.setAttribute('aria-expanded', 'false');
    closeOpen = null;
    wrap.querySelector('[role="menu"]')?.remove();
    if (refocus) trigger.focus();
  };

  const open = async () => {
    closeOpen?.();
    const list = await items();
    if (!wrap.isConnected || trigger.getAttribute('aria-expanded') === 'true') return;
    const menu = h('div', { role: 'menu', class: 'menu', 'aria-labelledby': id }, ...list.map((item) => menuItem(item, close)));
    wrap.closest('.row')?.classList.add('unclipped');
    wrap.append(menu);
    place(menu, trigger);
    trigger.setAttribute('aria-expanded', 'true');
    closeOpen = () => close(false);
    first(menu)?.focus();
    menu.addEventListener('keydown', (event) => move(menu, event, close));
    menu.addEventListener('focusout', (event) => {
      if (!(event.relatedTarget instanceof Node && wrap.contains(event.relatedTarget))) close(false);
    });
  };

  trigger.addEventListener('click', () => {
    if (trigger.getAttribute('aria-expanded') === 'true') close(true);
    else void open();
  });
  trigger.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    void open();
  });
  return wrap;
}

document.addEventListener('pointerdown', (event) => {
  if (event.target instanceof Element && !event.target.closest('.menu-wrap')) closeOpen?.();
});

/**
 * @param {Item} item
 * @param {(refocus: boolean) => void} close
 */
function menuItem(item, close) {
  if (item === 'line') return h('div', { role: 'separator', class: 'menu-line' });
  return h(
    'button',
    {
      type: 'button',
      role: 'menuitem',
      tabindex: '-1',
      class: item.danger ? 'menu-item danger' : 'menu-item',
      on: {
        click: () => {
          close(true);
          item.onSelect();
        },
      },
    },
    icon(item.icon ?? 'blank'),
    item.text,
  );
}

/**
 * Above its button where there is no room below.
 *
 * @param {HTMLElement} menu
 * @param {HTMLElement} trigger
 */
function place(menu, trigger) {
  const { bottom, height } = menu.getBoundingClientRect();
  const roomAbove = trigger.getBoundingClientRect().top - 56;
  if (bottom > window.innerHeight - 8 && roomAbove > height) menu.classList.add('above');
  else menu.scrollIntoView({ block: 'nearest' });
}

/** @param {Element} menu */
function entries(menu) {
  return /** @type {HTMLElement[]} */ ([...menu.querySelectorAll('[role="menuitem"]')]);
}

/** @param {Element} menu */
function first(menu) {
  return entries(menu)[0];
}

/**
 * @param {Element} menu
 * @param {KeyboardEvent} event
 * @param {(refocus: boolean) => void} close
 */
function move(menu, event, close) {
  const all = entries(menu);
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = destination(event.key, at, all);
  if (event.key === 'Escape' || event.key === 'Tab') {
    if (event.key === 'Escape') event.preventDefault();
    event.stopPropagation();
    close(true);
  } else if (to) {
    event.preventDefault();
    to.focus();
  }
}

/**
 * @param {string} key
 * @param {number} at
 * @param {HTMLElement[]} all
 */
function destination(key, at, all) {
  switch (key) {
    case 'ArrowDown':
      return all[(at + 1) % all.length];
    case 'ArrowUp':
      return all[(at - 1 + all.length) % all.length];
    case 'Home':
      return all[0];
    case 'End':
      return all[all.length - 1];
    default: {
      if (key.length !== 1) return undefined;
      const starts = (/** @type {HTMLElement} */ one) => (one.textContent ?? '').toLowerCase().startsWith(key.toLowerCase());
      return [...all.slice(at + 1), ...all.slice(0, at + 1)].find(starts);
    }
  }
}
