/** The console: one section at a time, chosen by the address. */
import { byId } from './dom.js';
import { Apps } from './apps.js';
import { Faults } from './faults.js';
import { Files } from './files.js';
import { Log } from './log.js';
import { People } from './people.js';
import { Switches } from './switches.js';
import { Tokens } from './tokens.js';

/** How often what changes by itself is asked for. */
const EVERY_MS = 2000;

const sections = { apps: new Apps(), people: new People(), files: new Files(), tokens: new Tokens(), log: new Log(), switches: new Switches(), faults: new Faults() };
const links = [...document.querySelectorAll('body > nav a')];
const chosen = () => (Object.hasOwn(sections, location.hash.slice(1)) ? location.hash.slice(1) : 'apps');

/** Asks for what the shown section shows; the page says so while the emulator does not answer. */
async function refresh() {
  try {
    await sections[chosen()].refresh();
    byId('lost').hidden = true;
  } catch (fault) {
    byId('lost').textContent = fault.status === 0 ? 'The emulator does not answer. This page goes on trying.' : fault.message;
    byId('lost').hidden = false;
  }
}

function show() {
  const name = chosen();
  for (const other of Object.keys(sections)) {
    byId(other).hidden = other !== name;
  }
  for (const link of links) {
    link.toggleAttribute('aria-current', false);
    if (link.hash === `#${name}`) {
      link.setAttribute('aria-current', 'page');
      document.title = `${link.textContent} · Box emulator`;
    }
  }
  return refresh();
}

window.addEventListener('hashchange', async () => {
  if (location.hash === '#main') {
    return;
  }
  await show();
  byId(`${chosen()}-title`).focus();
});

async function again() {
  if (!document.hidden && sections[chosen()].isLive) {
    await refresh();
  }
  setTimeout(again, EVERY_MS);
}

await show();
setTimeout(again, EVERY_MS);
