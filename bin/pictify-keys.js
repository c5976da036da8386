#!/usr/bin/env node
// CommonJS, as all of dist/: Node starts it without its asynchronous loader (see scripts/bundle.js).
/* global require */
require('../dist/main.js').main()
