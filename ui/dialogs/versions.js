// @ts-check
/** @import { AccountRow, AccountVersion } from '../bindings/view.d.ts' */
import { call } from '../backend.js';
import { formDialog, openDialog } from '../components/dialog.js';
import { button, h } from '../components/dom.js';
import { checkbox } from '../components/form.js';
import { attempt, toast } from '../components/toast.js';
import { store } from '../store.js';
import { versionPart } from '../words/accounts.js';
import { ago, dateAndTime } from '../words/time.js';

/** @param {AccountRow} row */
export async function showHistory(row) {
  const versions = await attempt(() => call('account_history', { account: row.id }));
  if (!versions) return;
  const { body, footer, close } = openDialog({ title: `History of “${row.label}”` });
  const restore = (/** @type {AccountVersion} */ version) =>
    void attempt(async () => {
      const changed = await call('account_restore_version', { account: row.id, version: version.id });
      store.apply({ kind: 'accountRows', changed: [changed], removed: [] });
      close();
      toast('Earlier version restored. The one before it stays in the history.');
    });
  body.append(
    h(
      'div',
      { class: 'stack' },
      h('p', { class: 'muted' }, 'Earlier versions stay for 30 days. Restoring one makes it the newest; nothing is lost.'),
      versions.length === 0 ? h('p', null, 'There is no earlier version.') : null,
      h(
        'ul',
        { class: 'versions', role: 'list' },
        ...versions.map((version) =>
          h(
            'li',
            { class: 'version' },
            versionFacts(version),
            version.current
              ? h('span', { class: 'muted nowrap' }, 'In use')
              : button('Restore', { label: `Restore the version of ${dateAndTime(version.changedAt)}`, on: () => restore(version) }),
          ),
        ),
      ),
    ),
  );
  const done = button('Close', { kind: 'primary', on: close });
  footer.append(done);
  done.focus();
}

/** @param {AccountVersion} version */
function versionFacts(version) {
  const device = version.thisDevice ? 'this device' : (version.device ?? 'another device');
  const parts = version.differsIn.map(versionPart);
  return h(
    'div',
    null,
    h('p', { class: 'version-title' }, `${dateAndTime(version.changedAt)} · ${device}`),
    h('p', { class: 'muted small' }, [version.label, version.keyHint].filter(Boolean).join(' · ')),
    parts.length > 0 ? h('p', { class: 'muted small' }, `Changed: ${parts.join(', ')}`) : null,
  );
}

/**
 * Two devices changed one account; both versions are kept until the owner has chosen.
 *
 * @param {AccountRow} row
 */
export async function chooseVersion(row) {
  const versions = await attempt(() => call('account_conflict', { account: row.id }));
  if (!versions || versions.length === 0) return;
  const keepOthers = checkbox('Keep the other version too, as an account of its own');
  const cards = versions.map((version) => versionCard(version, version.current));
  const chosen = () => cards.find((card) => card.control.checked) ?? cards[0];
  await formDialog({
    title: `Choose a version of “${row.label}”`,
    size: 'wide',
    content: [
      h('p', null, 'This account was changed on two devices before they heard of each other. Both versions are kept. Which one should be used?'),
      h('fieldset', { class: 'ways' }, h('legend', { class: 'visually-hidden' }, 'Version to use'), ...cards.map((card) => card.element)),
      keepOthers.element,
    ],
    submit: 'Use this version',
    cancel: 'Decide later',
    onSubmit: async () => {
      const changed = await call('account_choose_version', {
        account: row.id,
        version: chosen().version.id,
        keepOthers: keepOthers.control.checked,
      });
      store.apply({ kind: 'accountRows', changed: [changed], removed: [] });
      return true;
    },
  });
}

/**
 * @param {AccountVersion} version
 * @param {boolean} checked
 */
function versionCard(version, checked) {
  const control = h('input', { type: 'radio', name: 'version', value: version.id, checked });
  const device = version.thisDevice ? 'This device' : (version.device ?? 'Another device');
  const parts = version.differsIn.map(versionPart);
  const element = h(
    'label',
    { class: 'way' },
    control,
    h(
      'span',
      null,
      h('span', { class: 'way-title' }, `${device}, ${ago(version.changedAt, Date.now())}`),
      h('span', { class: 'help' }, [version.label, version.keyHint, version.current ? 'in use now' : ''].filter(Boolean).join(' · ')),
      parts.length > 0 ? h('span', { class: 'help' }, `Differs in: ${parts.join(', ')}`) : null,
    ),
  );
  return { version, control, element };
}
