import type { BehaviourFactory } from './attacker.ts';
import { cheatingLeader } from './cheatingLeader.ts';
import { doubleVoter } from './doubleVoter.ts';
import { equivocatingLeader } from './equivocatingLeader.ts';
import { flood } from './flood.ts';
import { forger } from './forger.ts';
import { forkingLeader } from './forkingLeader.ts';
import { futureViews } from './futureViews.ts';
import { garbage } from './garbage.ts';
import { lyingSync } from './lyingSync.ts';
import { mute } from './mute.ts';
import { nuller } from './nuller.ts';
import { revivingLeader } from './revivingLeader.ts';
import { staleMessages } from './staleMessages.ts';
import { twin } from './twins.ts';
import { usurpingLeader } from './usurpingLeader.ts';
import { withholdingLeader } from './withholdingLeader.ts';
import { wrongResult } from './wrongResult.ts';

/** Every way to break the protocol, by the name that the command takes. */
export const behaviours: Readonly<Record<string, BehaviourFactory>> = {
  'equivocating-leader': equivocatingLeader,
  twins: twin,
  nuller,
  'double-voter': doubleVoter,
  'withholding-leader': withholdingLeader,
  'forking-leader': forkingLeader,
  'cheating-leader': cheatingLeader,
  'usurping-leader': usurpingLeader,
  'wrong-result': wrongResult,
  'stale-messages': staleMessages,
  forger,
  garbage,
  flood,
  'future-views': futureViews,
  'lying-sync': lyingSync,
  mute,
  'reviving-leader': revivingLeader,
};

/** Of this behaviour a member runs its program twice. */
export const TWINS = 'twins';
