// How a page looks, for those who see it and those who hear it.
import AxeBuilder from '@axe-core/playwright';

/** A picture of this state among those that people look through: `test-results/states`. */
export const picture = (page, state, name) =>
  page.screenshot({ path: `test-results/states/${name}-${state.replaceAll(/[ _]/g, '-')}.png`, animations: 'disabled' });

/** What the colours of the night can change. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

/** What is wrong for those who hear it or need its contrast, by day and by night. axe writes a style into the page. */
export async function faultsOf(page, state, leftOut = []) {
  const faults = [];
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await picture(page, state, colorScheme);
    const axe = leftOut.reduce((axe, part) => axe.exclude(part), new AxeBuilder({ page }));
    const { violations } = await (colorScheme === 'dark' ? axe.withRules(COLOURS) : axe).analyze();
    faults.push(...violations.map(({ id, nodes }) => `${state}, ${colorScheme}: ${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`));
  }
  return faults;
}
