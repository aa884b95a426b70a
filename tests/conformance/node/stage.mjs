// What the cases stand on: the sentences in which they fail, and the program that runs them.

import { isDeepStrictEqual, inspect } from 'node:util'

import { Emulator, Failed } from './emulator.mjs'

// A case that hangs ends the driver.
const SECONDS_MAX = 120

export function same(found, wanted, what) {
  if (!isDeepStrictEqual(found, wanted)) {
    throw new Failed(`${what} should be ${inspect(wanted)} and is ${inspect(found)}`)
  }
}

// The call throws the error that the SDK has for that: `by` the token endpoint, the exchange or the API. Words are
// compared when there are any.
export async function refused(sdk, { by, status, code, words }, call) {
  let error
  try {
    await call()
  } catch (thrown) {
    error = thrown
  }
  if (!error) throw new Failed(`what should be refused with ${status} ${code} was not refused`)
  if (!sdk.isOwnError(error, by)) throw error
  const refusal = sdk.refusal(error)
  same([refusal.status, refusal.code], [status, code], 'the refusal')
  if (words) same(refusal.words, words, 'the words of the refusal')
  return refusal
}

// Runs the named cases against the emulator; a line of JSON tells how each ended.
export async function main(cases, sdkAt) {
  const [url, ...names] = process.argv.slice(2)
  for (const name of names) {
    const alarm = setTimeout(() => process.exit(1), SECONDS_MAX * 1000)
    console.log(JSON.stringify({ case: name, ...(await outcome(cases[name], url, sdkAt)) }))
    clearTimeout(alarm)
  }
}

async function outcome(run, url, sdkAt) {
  if (!run) return { outcome: 'failed', why: 'the driver has no such case' }
  const box = new Emulator(url)
  try {
    await box.reset()
    await run(box, sdkAt(url))
  } catch (error) {
    if (error instanceof Failed) return { outcome: 'failed', why: error.message }
    // An SDK may throw anything, and the other cases are to run.
    const line = /cases\.mjs:\d+/.exec(error?.stack)?.[0]
    return { outcome: 'failed', why: `${error?.name}${line ? ` at ${line}` : ''}: ${error?.message}` }
  }
  return { outcome: 'passed' }
}
