import type { Subjects } from '@signalbox/protocol';
import type { JetStreamClient, JetStreamManager } from 'nats';
import type { Link } from './link.ts';

/** What the parts of a coordinator's bus share. */
export interface CoordinatorContext {
  mesh: string;
  link: Link;
  js: JetStreamClient;
  jsm: JetStreamManager;
  subjects: Subjects;
}
