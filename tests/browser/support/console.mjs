// The emulator's console: its page, and `test` for its stories. What every one of them proves at its end: no policy
// was violated and no script failed. Secrets are what this page is there to show, so nobody looks for them.
import { test as base, expect } from '@playwright/test';
import { BOX } from './box.mjs';
import { Witness } from './witness.mjs';

export { expect };

export const test = base.extend({
  /** Policies that a story means to violate, as `{ violations: true }`. */
  means: [{ violations: false }, { option: true }],

  witness: [
    async ({ context, means }, use) => {
      const witness = await Witness.of(context);
      await use(witness);
      if (!means.violations) {
        expect(witness.violations, 'violations of a policy').toEqual([]);
      }
      expect(witness.errors, 'scripts that failed').toEqual([]);
    },
    { auto: true },
  ],

  robin: async ({ page, witness }, use) => use(new Console(page, witness)),
});

/** What a person does at the console. */
export class Console {
  constructor(page) {
    this.page = page;
    this.said = page.getByRole('status');
    this.main = page.getByRole('main');
  }

  async open(section) {
    await this.page.goto(`${BOX}/console#${section.toLowerCase()}`);
    await expect(this.title(section)).toBeVisible();
  }

  title(section) {
    return this.page.getByRole('heading', { level: 1, name: section });
  }

  /** The card of an app. */
  app(name) {
    return this.page.getByRole('article', { name, exact: true });
  }

  /** The row of a table that holds these words. */
  row(...words) {
    return words.reduce((rows, text) => rows.filter({ hasText: text }), this.page.getByRole('row'));
  }

  dialog(name) {
    return this.page.getByRole('dialog', { name }).or(this.page.getByRole('alertdialog', { name }));
  }

  /** What a term of a description list means. */
  fact(card, term) {
    return card.locator('dt', { hasText: term }).locator('xpath=following-sibling::dd[1]');
  }

  /** A server app made behind the page, with a name that no other story has. */
  async makeApp(wanted = {}) {
    return post('apps', { name: unique('App'), ...wanted });
  }

  async makeUser(wanted = {}) {
    const name = unique('User');
    return post('users', { name, login: `${name.toLowerCase().replaceAll(' ', '.')}@example.com`, password: 'tide', ...wanted });
  }
}

let made = 0;

/** A name that no other story uses. */
export function unique(what) {
  made += 1;
  return `${what} ${process.pid} ${made} ${Math.floor(Math.random() * 1e6)}`;
}

async function post(path, body) {
  const answer = await fetch(`${BOX}/emulator/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) {
    throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
  }
  return answer.json();
}
