import winston from 'winston';
import type { Level } from '../../shared/event.ts';
import { levelOf, render, shortRevision } from '../../shared/render.ts';
import type { Clock, Log } from '../ports.ts';

export interface LogOptions {
  readonly stream: NodeJS.WritableStream;
  /** One JSON object a line, as under systemd (`JOURNAL_STREAM`); else text for people. */
  readonly json: boolean;
  /** The least that is said. */
  readonly level: Level;
  readonly clock: Clock;
}

/**
 * Renders events as log lines: `time level event host revision message`. What a program wrote follows in
 * text as lines that begin with two spaces, in JSON as `detail`. A reader that went away is no error.
 */
export function winstonLog({ stream, json, level, clock }: LogOptions): Log {
  stream.on('error', () => undefined);
  const logger = winston.createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 } satisfies Record<Level, number>,
    format: winston.format.printf(json ? jsonLine : textLine),
    // Winston's types give its transports as values with a constructor, which the rule takes for foreign.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  });
  return (event) => {
    const { message, fields } = render(event);
    const time = new Date(clock.now()).toISOString();
    logger.log({ ...fields, level: levelOf(event), event: event.kind, time, message });
  };
}

function jsonLine(info: winston.Logform.TransformableInfo): string {
  const { time, level, event, host, revision, message, ...rest } = info;
  return JSON.stringify({ time, level, event, host, revision, message, ...rest });
}

function textLine(info: winston.Logform.TransformableInfo): string {
  const revision = typeof info['revision'] === 'string' ? shortRevision(info['revision']) : '-';
  const { time, level, event, host, message, detail } = info;
  const line = [time, level, event, host, revision, message].map(String).join(' ');
  return typeof detail === 'string' ? `${line}\n${indented(detail)}` : line;
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}
