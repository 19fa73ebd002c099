// The seed of every property test that names none: one number, so that a run can be repeated and fails for a reason, not by chance.
// PROPERTY_SEED=random draws a new one for each property, PROPERTY_SEED=N takes another number.
import fc from 'fast-check';

const wish = process.env['PROPERTY_SEED'] ?? '20261126';

if (wish !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wish) });
