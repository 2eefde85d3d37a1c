// What `npm run model` explores. `defines` are the switches of simplex.pml; README.md says what each means.

/**
 * The rules as they should be: every reachable state must keep every property. `quick` runs with `--quick`, where a small
 * one stands for it; `views` is the number of views.
 */
export const sound = [
  { name: 'two views, every order', views: 2, quick: true, defines: ['RESULTS'] },
  { name: 'two views, epochs, every order', views: 2, quick: true, defines: ['EPOCHS'] },
  { name: 'two views, crash at every step', views: 2, quick: true, defines: ['CRASHES', 'STEPWISE'] },
  { name: 'three views', views: 3, quick: true, defines: ['RESULTS', 'ORDERED'] },
  { name: 'three views, epochs', views: 3, quick: true, defines: ['EPOCHS', 'ORDERED'] },
  { name: 'three views, lost log', views: 3, quick: true, defines: ['AMNESIA', 'ORDERED'] },
  { name: 'two views, crash at every step, results', views: 2, defines: ['RESULTS', 'CRASHES', 'STEPWISE'] },
  { name: 'three views, every order', views: 3, defines: ['RESULTS'] },
  { name: 'three views, crashes, every order', views: 3, defines: ['CRASHES', 'STEPWISE', 'ONE_PENDING'] },
  { name: 'three views, epochs, every order', views: 3, defines: ['EPOCHS'] },
  { name: 'four views', views: 4, defines: ['RESULTS', 'ORDERED'] },
  { name: 'four views, epochs', views: 4, defines: ['EPOCHS', 'ORDERED'] },
  { name: 'four views, lost log', views: 4, defines: ['AMNESIA', 'ORDERED'] },
];

/**
 * One rule broken each: the search must end at a state without the property `breaks`. The search is breadth first, so the
 * counterexample is a shortest one, but for those of four views, whose shortest ones lie too deep (`deep`).
 */
export const weakened = [
  { name: 'small-quorum', rule: 'V2', breaks: 'agreement', views: 2, defines: ['WEAK_QUORUM'] },
  { name: 'small-nullify-quorum', rule: 'V2', breaks: 'agreement', views: 2, defines: ['WEAK_NULLIFY_QUORUM'] },
  { name: 'nullify-and-finalize', rule: 'E2', breaks: 'agreement', views: 2, defines: ['WEAK_NULLIFY_AND_FINALIZE'] },
  { name: 'two-notarizes', rule: 'P6', breaks: 'agreement', views: 2, defines: ['WEAK_TWO_NOTARIZES'] },
  { name: 'gap-accepted', rule: 'P2', breaks: 'agreement', views: 2, defines: ['WEAK_GAP'] },
  { name: 'parent-not-notarized', rule: 'P2', breaks: 'validity', views: 2, defines: ['WEAK_PARENT'] },
  { name: 'finalize-unnotarized', rule: 'E2', breaks: 'validity', views: 2, defines: ['WEAK_FINALIZE_UNNOTARIZED'] },
  { name: 'votes-forgotten', rule: 'S1', breaks: 'agreement', views: 2, defines: ['CRASHES', 'WEAK_FORGET'] },
  {
    name: 'sent-before-flushed',
    rule: 'host 2',
    breaks: 'agreement',
    views: 2,
    defines: ['CRASHES', 'WEAK_SEND_BEFORE_FLUSH'],
  },
  { name: 'torn-proposal', rule: 'S1', breaks: 'agreement', views: 2, defines: ['CRASHES', 'WEAK_TORN_PROPOSAL'] },
  {
    name: 'two-results',
    rule: 'E2',
    breaks: 'one result',
    views: 2,
    defines: ['CRASHES', 'RESULTS', 'WEAK_TWO_RESULTS'],
  },
  { name: 'changed-ancestor', rule: 'E1', breaks: 'one result', views: 2, defines: ['CRASHES', 'RESULTS', 'WEAK_E1'] },
  {
    name: 'late-finalize',
    rule: 'E2',
    breaks: 'one result',
    views: 2,
    defines: ['CRASHES', 'RESULTS', 'WEAK_LATE_FINALIZE'],
  },
  {
    name: 'closing-block-extended',
    rule: 'P3',
    breaks: 'agreement',
    views: 2,
    defines: ['EPOCHS', 'WEAK_CLOSING_EXTENDED'],
  },
  { name: 'early-epoch', rule: 'Epochs', breaks: 'agreement', views: 2, defines: ['EPOCHS', 'WEAK_EARLY_EPOCH'] },
  {
    name: 'lost-log-ignored',
    rule: 'Amnesia',
    breaks: 'agreement',
    views: 2,
    defines: ['AMNESIA', 'WEAK_AMNESIA_AT_ONCE'],
  },
  {
    name: 'lost-log-without-finalization',
    rule: 'Amnesia',
    breaks: 'one result',
    views: 3,
    defines: ['AMNESIA', 'RESULTS', 'WEAK_AMNESIA_WITHOUT_FINALIZATION'],
  },
  {
    name: 'lost-log-few-reports',
    rule: 'Amnesia',
    breaks: 'agreement',
    views: 4,
    deep: true,
    defines: ['AMNESIA', 'ORDERED', 'WEAK_AMNESIA_FEW_REPORTS'],
  },
  {
    name: 'lost-log-stale-reports',
    rule: 'Amnesia',
    breaks: 'agreement',
    views: 4,
    deep: true,
    defines: ['AMNESIA', 'ORDERED', 'WEAK_AMNESIA_STALE_REPORTS'],
  },
];
