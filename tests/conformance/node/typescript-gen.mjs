// box-typescript-sdk-gen, from the npm prefix SDK_HOME.

import { createRequire } from 'node:module'

import { cases } from './cases.mjs'
import { main } from './stage.mjs'
import { sdkOf } from './v10.mjs'

const require = createRequire(`${process.env.SDK_HOME}/`)
const modules = {
  ...require('box-typescript-sdk-gen'),
  ...require('box-typescript-sdk-gen/lib/networking/baseUrls.generated'),
  ...require('box-typescript-sdk-gen/lib/networking/network.generated'),
  ...require('box-typescript-sdk-gen/lib/box/errors'),
}
await main(cases, sdkOf(modules))
