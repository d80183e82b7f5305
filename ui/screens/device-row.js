// @ts-check
/** @import { DeviceRow } from '../bindings/view.d.ts' */
import { button, copyOf, fill, get, h, icon } from '../components/dom.js';
import { removeDevice, suspendDevice } from '../dialogs/remove-device.js';
import { deviceState, platformName } from '../words/status.js';
import { ago, date, dateAndTime } from '../words/time.js';

/** @param {DeviceRow} row */
export function makeDeviceRow(row) {
  const element = copyOf('device-row-template');
  element.dataset.device = row.id;
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {DeviceRow} row
 */
export function updateDeviceRow(element, row) {
  const now = Date.now();
  const name = row.name ?? 'Unnamed device';
  const state = deviceState(row.state);
  fill(get(element, '.device-name'), h('span', { class: 'device-title' }, name), h('span', { class: 'muted small' }, row.phrase));
  get(element, '.device-name').title = `Phrase: ${row.phrase}`;
  fill(
    get(element, '.device-facts'),
    h('span', null, platformName(row.platform)),
    h('span', { class: 'muted small' }, row.verifiedAt === null ? 'Not verified' : `Verified ${date(row.verifiedAt)}`),
  );
  const cell = get(element, '.device-state');
  cell.classList.toggle('attention', state.tone === 'attention');
  fill(
    cell,
    h('span', { class: 'state-word' }, icon(state.icon), state.text),
    h(
      'span',
      { class: 'muted small', title: row.lastSeenAt === null ? '' : dateAndTime(row.lastSeenAt) },
      row.lastSeenAt === null ? 'Never seen' : `Seen ${ago(row.lastSeenAt, now)}`,
    ),
  );
  if (element.dataset.state === row.state && element.dataset.name === name) return;
  element.dataset.state = row.state;
  element.dataset.name = name;
  const actions = get(element, '.actions');
  const hadFocus = actions.contains(document.activeElement);
  fill(
    actions,
    row.state === 'active' ? button('Suspend', { label: `Suspend ${name}`, on: () => void suspendDevice(row) }) : null,
    row.state === 'removed' ? null : button('Remove', { kind: 'danger', label: `Remove ${name}`, on: () => void removeDevice(row) }),
  );
  if (hadFocus) actions.querySelector('button')?.focus();
}
