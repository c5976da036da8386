// The whole contract over the socket. The parts are one test file, so that it can see what none of them has met.
import { afterAll, expect } from 'vitest'
import { unmet } from './conformance.ts'
import './contract/access.ts'
import './contract/create.ts'
import './contract/list.ts'
import './contract/one-key.ts'
import './contract/rendering.ts'

// 500 is for what a test cannot ask for; server.test.ts brings one about
afterAll(() => expect(unmet().filter((answer) => !answer.endsWith(' 500'))).toEqual([]))
