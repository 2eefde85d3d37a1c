import { SenderService } from '../chain/senderService.ts';
import type { ServiceFactory } from '../runtime/services.ts';
import { readServiceOptions } from './serviceOptions.ts';

/** Signature recovery on a thread of its own. */
export const createService: ServiceFactory = (options, context) =>
  new SenderService(readServiceOptions(options, context).suite);
