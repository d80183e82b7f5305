// @ts-check
/** @typedef {'accounts' | 'sync' | 'general'} Tab */

const TABS = /** @type {const} */ (['accounts', 'sync', 'general']);

/** @type {(tab: Tab) => void} */
let onGo = () => {};

/** @param {Tab} tab */
export function goTo(tab) {
  selectTab(tab);
  onGo(tab);
}

/**
 * Wires the tabs: click, arrow keys, Home and End.
 *
 * @param {(tab: Tab) => void} onSelect
 */
export function wireTabs(onSelect) {
  onGo = onSelect;
  for (const tab of TABS) {
    tabButton(tab).addEventListener('click', () => goTo(tab));
    tabButton(tab).addEventListener('keydown', (event) => {
      const next = neighbour(tab, event.key);
      if (!next) return;
      event.preventDefault();
      goTo(next);
      tabButton(next).focus();
    });
  }
}

/**
 * @param {Tab} tab
 * @param {string} key
 */
function neighbour(tab, key) {
  const at = TABS.indexOf(tab);
  switch (key) {
    case 'ArrowRight':
      return TABS[(at + 1) % TABS.length];
    case 'ArrowLeft':
      return TABS[(at + TABS.length - 1) % TABS.length];
    case 'Home':
      return TABS[0];
    case 'End':
      return TABS[TABS.length - 1];
    default:
      return null;
  }
}

/** @param {Tab} selected */
function selectTab(selected) {
  for (const tab of TABS) {
    const chosen = tab === selected;
    tabButton(tab).setAttribute('aria-selected', String(chosen));
    tabButton(tab).tabIndex = chosen ? 0 : -1;
    panel(tab).hidden = !chosen;
  }
}

/** @param {Tab} tab */
function tabButton(tab) {
  return /** @type {HTMLButtonElement} */ (document.getElementById(`tab-${tab}`));
}

/** @param {Tab} tab */
export function panel(tab) {
  return /** @type {HTMLElement} */ (document.getElementById(tab));
}
