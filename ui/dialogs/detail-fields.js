// @ts-check
/** @import { AccountDetails, Environment, Permission } from '../bindings/view.d.ts' */
import { h } from '../components/dom.js';
import { choice, field } from '../components/form.js';
import { splitTags } from '../words/form.js';

/** Everything about an account that is no credential. */
export class DetailFields {
  /** @param {AccountDetails | null} details */
  constructor(details) {
    this.label = field('Label', { value: details?.label ?? '', required: 'Give the account a label, so that you recognise it.' });
    this.environment = choice('Environment', /** @type {[Environment, string][]} */ ([['live', 'Live'], ['testnet', 'Testnet']]), details?.environment ?? 'live');
    this.tags = field('Tags', { value: details?.tags.join(', ') ?? '', optional: true, help: 'Separated by commas.' });
    this.expiresOn = field('Expires on', { type: 'date', value: details?.expiresOn ?? '', optional: true });
    this.ipNote = field('IP addresses', { value: details?.ipNote ?? '', optional: true, help: 'Those that the exchange allows for this key, for your own reference.' });
    this.note = field('Note', { value: details?.note ?? '', optional: true, multiLine: true });
    this.permissions = {
      read: permission('Read', details?.permissions.read ?? 'unknown'),
      trade: permission('Trade', details?.permissions.trade ?? 'unknown'),
      withdraw: permission('Withdraw', details?.permissions.withdraw ?? 'unknown'),
    };
    const { read, trade, withdraw } = this.permissions;
    this.element = h(
      'div',
      { class: 'stack' },
      h('div', { class: 'columns' }, this.label.element, this.environment.element),
      h(
        'details',
        { class: 'fold', open: hasMore(details) },
        h('summary', null, 'Permissions, tags, expiry, note'),
        h(
          'div',
          { class: 'stack' },
          h(
            'fieldset',
            { class: 'permissions' },
            h('legend', { class: 'label' }, 'Permissions of the key'),
            h('p', { class: 'help' }, 'As you set them at the exchange. Keyquay does not ask the exchange.'),
            h('div', { class: 'permission-row' }, read.element, trade.element, withdraw.element),
          ),
          h('div', { class: 'columns' }, this.tags.element, this.expiresOn.element),
          this.ipNote.element,
          this.note.element,
        ),
      ),
    );
  }

  /** @param {boolean} shown */
  showEnvironment(shown) {
    this.environment.element.hidden = !shown;
  }

  /** @returns {AccountDetails} */
  read() {
    return {
      label: this.label.value.trim(),
      tags: splitTags(this.tags.value),
      note: this.note.value,
      environment: this.environment.value,
      permissions: {
        read: this.permissions.read.value,
        trade: this.permissions.trade.value,
        withdraw: this.permissions.withdraw.value,
      },
      ipNote: this.ipNote.value.trim(),
      expiresOn: this.expiresOn.value || null,
    };
  }
}

/**
 * @param {string} label
 * @param {Permission} value
 */
function permission(label, value) {
  return choice(label, /** @type {[Permission, string][]} */ ([['unknown', 'Unknown'], ['yes', 'Yes'], ['no', 'No']]), value);
}

/** @param {AccountDetails | null} details */
function hasMore(details) {
  if (!details) return false;
  const { tags, note, ipNote, expiresOn, permissions } = details;
  return Boolean(tags.length || note || ipNote || expiresOn || Object.values(permissions).some((value) => value !== 'unknown'));
}
