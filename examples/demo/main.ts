import { story } from './story.ts';
import { makeStage } from './stage.ts';

/**
 * `npm run demo`: autark in a minute, in a temporary folder, as any user. `--keep` leaves everything for
 * exploring.
 */
const isKept = process.argv.includes('--keep');
const stage = await makeStage(isKept);
const end = async (): Promise<void> => {
  await stage.end();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void end().then(() => process.exit(130));
  });
}
try {
  await story(stage);
} finally {
  await end();
}
