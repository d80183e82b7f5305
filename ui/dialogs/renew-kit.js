// @ts-check
import { call } from '../backend.js';
import { formDialog } from '../components/dialog.js';
import { h } from '../components/dom.js';
import { allFilled } from '../components/form.js';
import { withProof } from '../components/proof.js';
import { toast } from '../components/toast.js';
import { groupField, kitView } from '../setup/kit.js';
import { store } from '../store.js';

/** A new recovery code; the kit of before stops working when the new one is confirmed. */
export async function renewKit() {
  const kit = await withProof({
    title: 'Make a new recovery kit',
    text: [h('p', null, 'The new kit has a new recovery code. The code of the old kit stops working once you have confirmed the new one.')],
    submit: 'Continue',
    busy: 'Opening your keys…',
    onProof: (proof) => call('sync_kit_renew', proof),
  });
  if (!kit) return;
  const group = groupField(kit);
  const view = await formDialog({
    title: 'Keep your new recovery kit',
    size: 'wide',
    content: [...kitView(kit), h('p', null, 'Then type one group from your copy, to be sure that it is there and readable.'), group.element],
    submit: 'Confirm',
    busy: 'Confirming…',
    isValid: () => allFilled(group),
    onSubmit: () => call('sync_kit_confirm', { group: group.value.trim() }),
  });
  if (!view) return;
  store.apply({ kind: 'sync', view });
  toast('The new recovery kit is in force');
}
