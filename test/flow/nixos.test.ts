import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { newest, type FleetHost, type Files } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import {
  makeNixosFleet,
  nixosFiles,
  recordNix,
  type NixosFleet,
  type NixosHost,
  type RecordedNix,
} from '../rig/nix.ts';
