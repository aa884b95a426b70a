/** Holds back the answers to a question until they are released. */
export async function held(page, address) {
  const waiting = [];
  await page.route(address, (route) => void waiting.push(route));
  return {
    release: async () => {
      await page.unroute(address);
      await Promise.all(waiting.map((route) => route.continue().catch(() => {})));
    },
  };
}
