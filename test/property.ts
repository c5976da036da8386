import fc from 'fast-check'

// One seed, so that a run can be repeated and a green suite stays green; PROPERTY_SEED=<n> looks elsewhere.
fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 20_261_121) })

export { fc }
