// box-node-sdk 10, from the npm prefix SDK_HOME.

import { createRequire } from 'node:module'

import { cases } from './cases.mjs'
import { main } from './stage.mjs'
import { sdkOf } from './v10.mjs'

const require = createRequire(`${process.env.SDK_HOME}/`)
const modules = {
  ...require('box-node-sdk'),
  ...require('box-node-sdk/networking'),
  ...require('box-node-sdk/lib/box/errors'),
}
await main(cases, sdkOf(modules))
