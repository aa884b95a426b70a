// Every request goes to the one object. What the build exports besides is Keyhole's own.
export { Bench } from "./build/index.js";

export default {
  fetch: (request, env) => env.BENCH.get(env.BENCH.idFromName("bench")).fetch(request),
};
