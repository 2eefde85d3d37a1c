import type { EngineMetrics } from '../engine/index.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { LedgerReader } from '../storage/ledgerReader.ts';
import type { Member } from './member.ts';

/** The engine's counters by the name and unit that Prometheus shows; milliseconds become seconds. */
const ENGINE_GAUGES: readonly (readonly [keyof EngineMetrics, string, string, number])[] = [
  ['viewsEntered', 'hanse_consensus_views_entered_total', 'Views that this member entered.', 1],
  ['timeouts', 'hanse_consensus_views_given_up_total', 'Nullify votes of this member.', 1],
  ['notarizeVotes', 'hanse_consensus_notarize_votes_total', 'Notarize votes of this member.', 1],
  ['finalizeVotes', 'hanse_consensus_finalize_votes_total', 'Finalize votes of this member.', 1],
  ['votesReceived', 'hanse_consensus_votes_received_total', 'Votes received.', 1],
  ['certificatesReceived', 'hanse_consensus_certificates_received_total', 'Certificates received.', 1],
  ['proposalsReceived', 'hanse_consensus_proposals_received_total', 'Proposals received.', 1],
  ['proposalsSent', 'hanse_consensus_proposals_sent_total', 'Proposals of this member as leader.', 1],
  ['messagesBad', 'hanse_consensus_messages_bad_total', 'Messages refused as malformed or forged.', 1],
  ['messagesIgnored', 'hanse_consensus_messages_ignored_total', 'Messages over a budget or of another epoch.', 1],
  ['bodyRequests', 'hanse_consensus_body_requests_total', 'Requests for transactions of proposals.', 1],
  ['flushes', 'hanse_log_flushes_total', 'Flushes of the log of votes.', 1],
  ['flushMs', 'hanse_log_flush_seconds_total', 'Time spent in flushes of the log.', 1_000],
  ['flushMaxMs', 'hanse_log_flush_max_seconds', 'The longest flush of the log.', 1_000],
  ['blocksFinalized', 'hanse_blocks_finalized_total', 'Blocks made final by consensus.', 1],
  ['transactionsFinalized', 'hanse_transactions_finalized_total', 'Transactions made final by consensus.', 1],
  ['blockLatencyMs', 'hanse_block_latency_seconds_total', 'From a proposal to its block in storage, summed.', 1_000],
  ['blockLatencyMaxMs', 'hanse_block_latency_max_seconds', 'The longest way of a proposal into storage.', 1_000],
  ['executions', 'hanse_executions_total', 'Blocks executed.', 1],
  ['executionMs', 'hanse_execution_seconds_total', 'Time spent executing blocks.', 1_000],
];

/** Declares what a member shows at `/metrics` beside what the JSON-RPC server counts itself. */
export function memberMetrics(metrics: Metrics, member: Member, reader: LedgerReader): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    metrics.gauge({ name, help, read });
  };
  for (const [key, name, help, divisor] of ENGINE_GAUGES) gauge(name, help, () => member.engine.metrics[key] / divisor);
  gauge('hanse_height', 'The newest final block.', () => reader.headHeight());
  gauge('hanse_view', 'The view of consensus.', () => member.engine.state().view);
  gauge('hanse_voting', '1 if this member votes.', () => (member.engine.state().voting === 'voting' ? 1 : 0));
  gauge('hanse_pool_transactions', 'Transactions that wait.', () => member.pool.size);
  gauge('hanse_pool_bytes', 'Bytes of the transactions that wait.', () => member.pool.bytes);
  gauge('hanse_peers_connected', 'Members connected.', () => member.peers.connected().length);
  gauge('hanse_syncing', '1 while this member catches up.', () => (member.syncing() === undefined ? 0 : 1));
  gauge(
    'hanse_gossip_dropped_total',
    'Transactions of peers dropped because they came too fast.',
    () => member.gossip.dropped,
  );
  gauge('hanse_alarms_total', 'Alarms since the start.', () => member.alarms.count);
  gauge('hanse_peer_offences_total', 'Times that a peer was cut off for what it sent.', () =>
    member.peers.peers().reduce((sum, { counters }) => sum + counters.offences, 0),
  );
  for (const what of Object.keys(member.retained())) {
    gauge(
      `hanse_retained_${what.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
      'How much of what others may send is kept.',
      () => member.retained()[what] ?? 0,
    );
  }
}
