// @ts-check
/** @import { SetupView, SetupStep } from '../bindings/view.d.ts' */

/**
 * @typedef {{ id: string, title: string, state: 'done' | 'current' | 'ahead' }} RailStep
 */

/** Which step of the rail each step of the set-up belongs to. @type {Record<SetupStep, string>} */
const PLACE = {
  server: 'server',
  signIn: 'signIn',
  confirmAddress: 'address',
  secondFactor: 'secondFactor',
  verification: 'mail',
  noLog: 'mail',
  secretKey: 'mail',
  newPassword: 'kit',
  kit: 'kit',
  compare: 'kit',
  choose: 'accounts',
  done: 'done',
};

/**
 * The steps of the dialog in order, for the path that the person is on.
 *
 * @param {Pick<SetupView, 'step' | 'path'> & { addressMailSentAt?: number | null }} setup
 * @returns {RailStep[]}
 */
export function railSteps(setup) {
  const steps = [
    ['server', 'Server'],
    ['signIn', setup.path === 'recovery' ? 'Recovery code' : 'Sign in'],
  ];
  // Only who registers confirms an address.
  if (setup.path !== 'furtherDevice' && setup.path !== 'recovery') steps.push(['address', 'Confirm address']);
  const factor = ['secondFactor', 'Second factor'];
  const mail = ['mail', 'Verify this device'];
  steps.push(...(setup.path === 'recovery' ? [mail, factor] : [factor, mail]));
  if (setup.path === 'recovery') steps.push(['kit', 'New password']);
  else if (setup.path === 'furtherDevice') steps.push(['kit', 'Compare']);
  else steps.push(['kit', 'Recovery kit']);
  steps.push(['accounts', 'Choose accounts']);

  const at = steps.findIndex(([id]) => id === PLACE[setup.step]);
  const current = setup.step === 'done' ? steps.length : at;
  return steps.map(([id, title], index) => ({
    id,
    title,
    state: index < current ? 'done' : index === current ? 'current' : 'ahead',
  }));
}

/** @typedef {{ title: string, state: 'done' | 'current' | 'ahead' }} Standing */

/**
 * Where the person stands, for the Sync screen: signed in → second factor → verification mail → verified.
 *
 * @param {SetupView} setup
 * @returns {Standing[]}
 */
export function standing(setup) {
  const order = { server: 0, signIn: 0, confirmAddress: 0, secondFactor: 1, verification: 2, noLog: 3, secretKey: 3, newPassword: 3, kit: 3, compare: 3, choose: 4, done: 4 };
  const recovery = setup.path === 'recovery';
  const at = order[setup.step];
  const titles = ['Signed in', 'Second factor', 'Verification mail', 'Verified'];
  return titles.map((title, index) => {
    // Recovery opens the link before it asks for the second factor.
    if (recovery && setup.step === 'verification' && index === 1) return { title, state: 'ahead' };
    if (recovery && setup.step === 'secondFactor' && index === 2) return { title, state: 'done' };
    return { title, state: index < at ? 'done' : index === at ? 'current' : 'ahead' };
  });
}

/**
 * The next thing to do, for the Sync screen and the button that opens the dialog.
 *
 * @param {SetupStep} step
 */
export function nextStep(step) {
  switch (step) {
    case 'server':
      return 'Name the server that should carry your keys.';
    case 'signIn':
      return 'Register or sign in.';
    case 'confirmAddress':
      return 'Open the link in the mail that confirms your address.';
    case 'secondFactor':
      return 'Prove or set up your second factor.';
    case 'verification':
      return 'Request the verification mail and open its link.';
    case 'noLog':
      return 'Say whether sync was ever set up before.';
    case 'secretKey':
      return 'Enter your Secret Key.';
    case 'newPassword':
      return 'Choose a new password.';
    case 'kit':
      return 'Keep your recovery kit and confirm it.';
    case 'compare':
      return 'Compare what this device sees with another device.';
    case 'choose':
      return 'Choose the accounts to upload or retrieve.';
    case 'done':
      return 'Nothing is left to do.';
  }
}

/**
 * "KQ1-ABCDE-FGHIJ-…" as its groups, whatever was typed between them.
 *
 * @param {string} code
 */
export function codeGroups(code) {
  return code.split('-').filter(Boolean);
}
