import { cpus, release } from 'node:os';
import { effects } from './effects.ts';
import { deployment } from './deployment.ts';
import { history } from './history.ts';
import { idle } from './idle.ts';
import { idleLarge } from './idle-large.ts';
import { nixos } from './nixos.ts';
import { sealing } from './sealing.ts';
import { secretsBoot } from './secrets-boot.ts';
import { startUp } from './start-up.ts';

/** `npm run bench [-- NAME…]`: every figure beside its bare floor. Goals are in docs/performance.md. */
const sections = {
  'start-up': startUp,
  deployment,
  history,
  idle,
  'idle-large': idleLarge,
  nixos,
  sealing,
  'secrets-boot': secretsBoot,
} as const;
/** Only when named: it explains a figure and is none. */
const explanations = { effects } as const;

const wanted = process.argv.slice(2);
process.stdout.write(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores; Linux ${release()}; Node ${process.version}\n`,
);
for (const [name, section] of Object.entries(sections)) {
  if (wanted.length === 0 || wanted.includes(name)) await section();
}
for (const [name, explanation] of Object.entries(explanations)) {
  if (wanted.includes(name)) await explanation();
}
