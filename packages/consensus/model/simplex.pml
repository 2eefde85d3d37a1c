/*
 * The consensus of ../spec.md: n = 4, one member Byzantine, three honest, views 1 to VIEWS (2, 3 or 4). README.md beside this file
 * says what is abstracted and why that is sound; rules are cited by their names in the specification.
 *
 * The state is what has been signed. Votes only ever become more, so a network that loses, delays, doubles and reorders messages
 * is one from which a member has taken in any part of what was sent: it may act whenever some part of that allows it. The
 * Byzantine member counts as having sent every vote there is, so two equal honest votes are a quorum of three. A member's view is
 * not stored: its own votes bind it from below, and from above the certificates that were sent.
 *
 * RESULTS   execution may give one block another result at another member, or after another start
 * CRASHES   members decide first and flush later, while others go on; a crash takes what was not flushed
 * EPOCHS    blocks may close the epoch, and be repeated; members may enter the next epoch
 * AMNESIA   one member may lose its log
 * SYMMETRY  the honest members are sorted; ORDERED: the votes of a view come before those of the next (both in README.md)
 * WEAK_*    one rule is broken; ONLY_* says which property is looked at: without, all of them and A2 to A5
 */
#ifndef VIEWS
#define VIEWS 3
#endif

/*
 * A node is a statement that can be notarized. Nodes 1 to 4 are what the leaders of these views propose, RIVAL is the second
 * proposal of the Byzantine member in the one view that it leads, node 0 is the point that the epoch starts from. A set of
 * nodes or of views is a word in which bit n stands for n.
 */
#define RIVAL 5
#define BIT(n) (1 << (n))
#define NODES (BIT(6) - 2)

/* The votes of one member are one word, five sets side by side, so that a quorum of equal votes is one expression. */
#define NOTARIZE(n) BIT(n)
#define NULLIFY(v) BIT(5 + (v))
#define FINALIZE(n) BIT(10 + (n))
#define FINALIZE_OTHER(n) BIT(15 + (n))
#define ENTER(n) BIT(20 + (n))
#define notarized(votes) ((votes) & NODES)
#define nullified(votes) (((votes) >> 5) & (NODES & ~BIT(RIVAL)))
#define finalizedFirst(votes) (((votes) >> 10) & NODES)
#define finalizedOther(votes) (((votes) >> 15) & NODES)
#define finalized(votes) (finalizedFirst(votes) | finalizedOther(votes))
#define entered(votes) (((votes) >> 20) & NODES)

/* V2. The Byzantine member's vote is always there: a statement is certified once two of the three honest members sent it. */
#if defined(WEAK_QUORUM)
#define QUORUM(a, b, c) ((a) | (b) | (c))
#elif defined(WEAK_NULLIFY_QUORUM)
#define QUORUM(a, b, c) (((a) & (b)) | ((a) & (c)) | ((b) & (c)) | (((a) | (b) | (c)) & (NODES << 5)))
#else
#define QUORUM(a, b, c) (((a) & (b)) | ((a) & (c)) | ((b) & (c)))
#endif

/* What was flushed and sent, and what a member knows of its own votes, if the two may differ. */
int sent[3];
#if defined(CRASHES) || defined(AMNESIA)
int known[3];
#else
#define known sent
#endif
#ifdef WEAK_SEND_BEFORE_FLUSH
int disk[3];
#else
#define disk sent
#endif
#ifdef AMNESIA
/* V* + 1 of the member that lost its log, else zero. While none has: the highest view below `now` in which each has voted. */
byte floor[3];
#ifdef ORDERED
byte top[3] = 1;
#endif
#endif

/* What was certified, by the votes of all; `chain` is a node with its ancestors; `odd` the block whose result may differ. */
int certified;
byte chain[6];
byte rivalView;
#ifdef RESULTS
byte odd;
#endif
#ifdef EPOCHS
byte closing;
byte repeated;
#endif
#ifdef ORDERED
byte now = 1;
int past;
#endif

#define own known[_pid]
#define viewOf(n) ((n) == RIVAL -> rivalView : (n))
#define rivalIf(condition) ((condition) -> BIT(RIVAL) : 0)
#define nodesAt(v) (BIT(v) | rivalIf(rivalView == (v)))
#define nodesAbove(v) ((NODES & ~BIT(RIVAL) & ~(BIT((v) + 1) - 1)) | rivalIf(rivalView > (v)))
#define viewsAbove(v) (NODES & ~BIT(RIVAL) & ~(BIT((v) + 1) - 1))
#define viewsBetween(u, v) (viewsAbove(u) & (BIT(v) - 1))

/* Epochs: whoever entered the next one signs nothing in this one. */
#ifdef EPOCHS
#define isOpen (!entered(own))
#else
#define isOpen true
#endif

/*
 * Amnesia: votes only above V* + 1, and above a finalization that is itself above V* + 1. That finalization is the member's law (F1):
 * if it certifies one result of the block in question, the member gives no other. firstVote: the lowest view with a vote, by the floor.
 */
#ifdef AMNESIA
#define hasLost floor[_pid]
#define finalizationsHeld(v) (finalized(certified) & nodesAbove(floor[_pid]) & ~(nodesAt(v) | nodesAbove(v)))
#else
#define hasLost false
#define finalizationsHeld(v) 0
#endif
#if defined(WEAK_AMNESIA_AT_ONCE)
#define isOutlived(v) true
#define isTaught(n, a, opposing) true
#define firstVote(v) 1
#elif defined(WEAK_AMNESIA_WITHOUT_FINALIZATION)
#define isOutlived(v) (!hasLost || (v) > floor[_pid])
#define isTaught(n, a, opposing) true
#define firstVote(v) ((v) + 1)
#else
#define isOutlived(v) (!hasLost || finalizationsHeld(v))
#define isTaught(n, a, opposing) (!hasLost || (finalizationsHeld(viewOf(n)) & ~((opposing) & segment(n, a))))
#define firstVote(v) ((v) + 2)
#endif

/* Host 2: with ONE_PENDING a member decides nothing while a vote of its own is not flushed. */
#if defined(CRASHES) && defined(ONE_PENDING)
#define isFree (!(own & ~disk[_pid]))
#else
#define isFree true
#endif

#ifdef ORDERED
#define isTurn(v) (now == (v))
#else
#define isTurn(v) true
#endif
#define maySign(v) ((v) <= VIEWS && isTurn(v) && isFree && isOpen && isOutlived(v))

/* C1 to C3: a view is entered by a certificate of the view before. S1: never below an own vote; finalize(v) comes from above v. */
#define isReached(v) ((v) == 1 || ((notarized(certified) | finalized(certified)) & nodesAt((v) - 1)) || (nullified(certified) & BIT((v) - 1)))
#define isInView(v) \
  (maySign(v) && isReached(v) && !(notarized(own) & nodesAbove(v)) && !(nullified(own) & viewsAbove(v)) && \
   !(finalized(own) & (nodesAt(v) | nodesAbove(v))))

/* P2: the parent is notarized, or finalized; every view between is nullified. */
#ifdef WEAK_PARENT
#define isNotarizedOrFinal(p) ((p) == 0 || chain[p])
#else
#define isNotarizedOrFinal(p) ((p) == 0 || ((notarized(certified) | finalized(certified)) & BIT(p)))
#endif
#ifdef WEAK_GAP
#define isGapNullified(p, v) true
#else
#define isGapNullified(p, v) (!(viewsBetween(viewOf(p), v) & ~nullified(certified)))
#endif
#define isJustified(p, v) (viewOf(p) < (v) && isNotarizedOrFinal(p) && isGapNullified(p, v))

/* P6: one notarize vote a view. */
#ifdef WEAK_TWO_NOTARIZES
#define mayNotarize(v) isInView(v)
#else
#define mayNotarize(v) (isInView(v) && !(notarized(own) & nodesAt(v)))
#endif

/* A view's first proposal comes before its rival, by name only. */
#define isUnproposed(n, v) ((n) == RIVAL -> chain[v] && !rivalView : !chain[v])

/* T3 to T5 say when nullify is due; it may be due at any time: once, in v, not after finalize(v). */
#define mayNullify(v) (isInView(v) && !(nullified(own) & BIT(v)))

/* E2: notarized, never nullified, one finalize vote a view, none below an own one. */
#ifdef WEAK_NULLIFY_AND_FINALIZE
#define isNullifiedHere(v) false
#else
#define isNullifiedHere(v) (nullified(own) & BIT(v))
#endif
#ifdef WEAK_TWO_RESULTS
#define isFinalizedHere(v) false
#else
#define isFinalizedHere(v) (finalized(own) & nodesAt(v))
#endif
#ifdef WEAK_LATE_FINALIZE
#define isFinalizedAbove(v) false
#else
#define isFinalizedAbove(v) (finalized(own) & nodesAbove(v))
#endif
#ifdef WEAK_FINALIZE_UNNOTARIZED
#define isNotarizedHere(n) chain[n]
#else
#define isNotarizedHere(n) (chain[n] && (notarized(certified) & BIT(n)))
#endif
#define mayFinalize(n) \
  (isNotarizedHere(n) && maySign(viewOf(n)) && !isNullifiedHere(viewOf(n)) && !isFinalizedHere(viewOf(n)) && \
   !isFinalizedAbove(viewOf(n)))

/*
 * E1: on the chain from block a, whose result is in question, down to node n the member signed nothing contrary; unless, F1, it
 * took over a finalization x on this chain that certifies this result: what it signed up to x then binds it no more.
 */
#define segment(n, a) ((chain[n] & ~chain[a]) | BIT(a))
#define isTakenOver(x, n, a, agreeing, contrary) ((agreeing) & BIT(x) & segment(n, a) && !((contrary) & ~chain[x]))
#define isAnyTakenOver(n, a, agreeing, contrary) \
  (isTakenOver(1, n, a, agreeing, contrary) || isTakenOver(2, n, a, agreeing, contrary) || \
   isTakenOver(3, n, a, agreeing, contrary) || isTakenOver(4, n, a, agreeing, contrary) || \
   isTakenOver(5, n, a, agreeing, contrary))
#if defined(WEAK_E1)
#define contraryOf(votes, n, a) 0
#elif defined(WEAK_TWO_RESULTS)
#define contraryOf(votes, n, a) ((votes) & segment(n, a) & ~BIT(n))
#else
#define contraryOf(votes, n, a) ((votes) & segment(n, a))
#endif
#define isConsistent(n, a, agreeing, opposing, contrary) \
  (isTaught(n, a, opposing) && (!(contrary) || isAnyTakenOver(n, a, agreeing, contrary)))
#define givesFirst(n, a) \
  isConsistent(n, a, finalizedFirst(certified), finalizedOther(certified), contraryOf(finalizedOther(own), n, a))
#define givesOther(n, a) \
  isConsistent(n, a, finalizedOther(certified), finalizedFirst(certified), contraryOf(finalizedFirst(own), n, a))
#ifdef RESULTS
#define isBelowOdd(n) (odd && (chain[n] & BIT(odd)))
#else
#define isBelowOdd(n) false
#endif

/* P3: nothing but itself follows a block that closes the epoch. The next epoch starts from it once it is final. */
#ifdef EPOCHS
#define closes(p) ((closing >> (p)) & 1)
#define blocks(n) (chain[n] & ~repeated)
#ifdef WEAK_CLOSING_EXTENDED
#define mayExtend(p) true
#else
#define mayExtend(p) (!closes(p))
#endif
#define isFinalUnder(x, c) ((finalized(certified) & BIT(x)) && (chain[x] & BIT(c)))
#ifdef WEAK_EARLY_EPOCH
#define mayEnter(c) (notarized(certified) & BIT(c))
#else
#define mayEnter(c) (isFinalUnder(1, c) || isFinalUnder(2, c) || isFinalUnder(3, c) || isFinalUnder(4, c) || isFinalUnder(5, c))
#endif
#else
#define blocks(n) chain[n]
#define mayExtend(p) true
#endif

/* The theorem: of two finalized blocks one extends or equals the other; the next epoch extends all that is final in this one. */
#define isFinal(n) ((finalized(certified) >> (n)) & 1)
#define isExtension(x, y) (!(blocks(x) & ~blocks(y)))
#define agree(x, y) (!(isFinal(x) && isFinal(y)) || isExtension(x, y) || isExtension(y, x))
#define AGREE_WITHIN \
  (agree(1, 2) && agree(1, 3) && agree(1, 4) && agree(1, 5) && agree(2, 3) && agree(2, 4) && agree(2, 5) && agree(3, 4) && \
   agree(3, 5) && agree(4, 5))
#define agreeAcross(c, x) (!(isFinal(x)) || isExtension(x, c))
#define isBase(c) \
  (!(entered(certified) & BIT(c)) || (!(entered(certified) & ~BIT(c)) && agreeAcross(c, 1) && agreeAcross(c, 2) && \
   agreeAcross(c, 3) && agreeAcross(c, 4) && agreeAcross(c, 5)))
#ifdef EPOCHS
#define AGREEMENT (AGREE_WITHIN && isBase(1) && isBase(2) && isBase(3) && isBase(4) && isBase(5))
#else
#define AGREEMENT AGREE_WITHIN
#endif

/* One result: no two finalizations contradict each other in the result of a block. */
#define isFirstBelowOdd(n) ((finalizedFirst(certified) & BIT(n)) && isBelowOdd(n))
#define ONE_RESULT \
  (!finalizedOther(certified) || \
   !(isFirstBelowOdd(1) || isFirstBelowOdd(2) || isFirstBelowOdd(3) || isFirstBelowOdd(4) || isFirstBelowOdd(5)))

/* Validity: a finalized block stands on a chain of notarized ones from the start of the epoch, with all gaps nullified. */
#define viewsOf(nodes) (((nodes) & ~BIT(RIVAL)) | ((nodes) & BIT(RIVAL) -> BIT(rivalView) : 0))
#define isSupported(n) \
  (!(chain[n] & ~notarized(certified)) && !(viewsBetween(0, viewOf(n)) & ~(viewsOf(chain[n]) | nullified(certified))))
#define isValid(n) (!isFinal(n) || isSupported(n))
#define VALIDITY (isValid(1) && isValid(2) && isValid(3) && isValid(4) && isValid(5))

/* A2: one notarized node a view. A3: no view nullified and finalized. A4: finalized implies notarized. A5: what is notarized above extends. */
#define A2 (!(notarized(certified) & BIT(RIVAL)) || !(notarized(certified) & BIT(rivalView)))
#define A3 (!(nullified(certified) & viewsOf(finalized(certified))))
#define A4 (!(finalized(certified) & ~notarized(certified)))
#define follows(v, w) \
  (!isFinal(v) || viewOf(w) <= viewOf(v) || !(notarized(certified) & BIT(w)) || isExtension(v, w))
#define A5 \
  (follows(1, 2) && follows(1, 3) && follows(1, 4) && follows(1, 5) && follows(2, 3) && follows(2, 4) && follows(2, 5) && \
   follows(3, 4) && follows(3, 5) && follows(4, 5) && follows(5, 2) && follows(5, 3) && follows(5, 4))

#if defined(ONLY_AGREEMENT)
#define PROPERTIES AGREEMENT
#elif defined(ONLY_RESULT)
#define PROPERTIES ONE_RESULT
#elif defined(ONLY_VALIDITY)
#define PROPERTIES VALIDITY
#else
#define PROPERTIES (AGREEMENT && ONE_RESULT && VALIDITY && A2 && A3 && A4 && A5)
#endif

/* No rule names an honest member, so states that differ in their names alone are one: their words are sorted. */
#ifdef SYMMETRY
int swapped;
#define swapIn(words, i, j) swapped = words[i]; words[i] = words[j]; words[j] = swapped
#if defined(CRASHES) || defined(AMNESIA)
#define swapKnown(i, j) swapIn(known, i, j)
#else
#define swapKnown(i, j) skip
#endif
#ifdef WEAK_SEND_BEFORE_FLUSH
#define swapDisk(i, j) swapIn(disk, i, j)
#else
#define swapDisk(i, j) skip
#endif
#ifdef AMNESIA
#define swapFloor(i, j) swapIn(floor, i, j)
#else
#define swapFloor(i, j) skip
#endif
#if defined(AMNESIA) && defined(ORDERED)
#define swapTop(i, j) swapIn(top, i, j)
#else
#define swapTop(i, j) skip
#endif
#define swapAll(i, j) swapIn(sent, i, j); swapKnown(i, j); swapDisk(i, j); swapFloor(i, j); swapTop(i, j)
#define isUnsorted(i, j) (sent[i] < sent[j] || (sent[i] == sent[j] && known[i] < known[j]))
#define sort(i, j) if :: isUnsorted(i, j) -> swapAll(i, j); printf("@swap %d %d\n", i, j) :: else fi
#define sortMembers sort(0, 1); sort(1, 2); sort(0, 1); swapped = 0
#else
#define sortMembers skip
#endif

#ifdef ORDERED
#define CERTIFIED (past | QUORUM(sent[0], sent[1], sent[2]))
#else
#define CERTIFIED QUORUM(sent[0], sent[1], sent[2])
#endif
#define settle certified = CERTIFIED; printf("@certified %d\n", certified); sortMembers

/* Host 2: a vote is decided, then flushed, then sent; one step, unless crashes between them are looked at. */
#if defined(WEAK_SEND_BEFORE_FLUSH)
#define cast(vote) known[_pid] = known[_pid] | (vote); sent[_pid] = sent[_pid] | (vote)
#elif defined(CRASHES)
#define cast(vote) known[_pid] = known[_pid] | (vote)
#elif defined(AMNESIA)
#define cast(vote) known[_pid] = known[_pid] | (vote); sent[_pid] = sent[_pid] | (vote)
#else
#define cast(vote) sent[_pid] = sent[_pid] | (vote)
#endif

/*
 * The steps of a member. A vote that cannot complete a certificate, because there is one already, binds nobody but its signer; it
 * is left out. A proposal exists from its first notarize vote on: before that nobody can tell.
 */
#define ADD(n, v, p) \
  chain[n] = chain[p] | BIT(n); \
  if :: n == RIVAL -> rivalView = v :: else fi; \
  cast(NOTARIZE(n))
#define PROPOSE(n, v, p) \
  :: d_step { isUnproposed(n, v) && mayNotarize(v) && isJustified(p, v) && mayExtend(p) -> \
       ADD(n, v, p); printf("@propose %d %d %d %d\n", _pid, n, v, p); settle }
#ifdef EPOCHS
#define PROPOSE_CLOSING(n, v, p) \
  :: d_step { isUnproposed(n, v) && mayNotarize(v) && isJustified(p, v) && mayExtend(p) -> \
       ADD(n, v, p); closing = closing | BIT(n); printf("@close %d %d %d %d\n", _pid, n, v, p); settle } \
  :: d_step { isUnproposed(n, v) && mayNotarize(v) && isJustified(p, v) && p && closes(p) -> \
       ADD(n, v, p); closing = closing | BIT(n); repeated = repeated | BIT(n); \
       printf("@repeat %d %d %d %d\n", _pid, n, v, p); settle }
#define ENTER_NEXT(c) \
  :: d_step { isTurn(VIEWS) && isFree && isOpen && closes(c) && !(repeated & BIT(c)) && !(entered(certified) & BIT(c)) && mayEnter(c) -> \
       cast(ENTER(c)); printf("@enter %d %d\n", _pid, c); settle }
#else
#define PROPOSE_CLOSING(n, v, p)
#define ENTER_NEXT(c)
#endif
#define VOTE(n) \
  :: d_step { chain[n] && !(certified & NOTARIZE(n)) && mayNotarize(viewOf(n)) && !(own & NOTARIZE(n)) -> \
       cast(NOTARIZE(n)); printf("@notarize %d %d\n", _pid, n); settle }
#define GIVE_UP(v) \
  :: d_step { !(certified & NULLIFY(v)) && mayNullify(v) -> cast(NULLIFY(v)); printf("@nullify %d %d\n", _pid, v); settle }
#define FINISH(n) \
  :: d_step { !((certified | own) & FINALIZE(n)) && mayFinalize(n) && (!isBelowOdd(n) || givesFirst(n, odd)) -> \
       cast(FINALIZE(n)); printf("@finalize %d %d 0\n", _pid, n); settle }
#ifdef RESULTS
#define FINISH_OTHER(n) \
  :: d_step { !((certified | own) & FINALIZE_OTHER(n)) && mayFinalize(n) && isBelowOdd(n) && givesOther(n, odd) -> \
       cast(FINALIZE_OTHER(n)); printf("@finalize %d %d 1\n", _pid, n); settle }
#else
#define FINISH_OTHER(n)
#define odd 0
#endif

/* The block whose results differ is chosen when a second result is signed; which of the two is called the first is a name. */
#ifdef RESULTS
#define signedByAny (sent[0] | sent[1] | sent[2] | known[0] | known[1] | known[2])
#define isFirstSigned(n, a) ((finalizedFirst(signedByAny) & BIT(n)) && (chain[n] & BIT(a)))
#define isAnyFirstSigned(a) \
  (isFirstSigned(1, a) || isFirstSigned(2, a) || isFirstSigned(3, a) || isFirstSigned(4, a) || isFirstSigned(5, a))
#ifdef EPOCHS
#define isBlock(a) (!(repeated & BIT(a)))
#else
#define isBlock(a) true
#endif
#define DIVERGE(n, a) \
  :: d_step { !odd && (chain[n] & BIT(a)) && isBlock(a) && mayFinalize(n) && isAnyFirstSigned(a) && givesOther(n, a) -> \
       odd = a; cast(FINALIZE_OTHER(n)); printf("@diverge %d %d %d\n", _pid, n, a); settle }
#else
#define DIVERGE(n, a)
#endif

/* The log is flushed and the vote sent; in any order, which is more than host 2 allows. */
#ifdef CRASHES
#define FLUSH(vote) \
  :: d_step { (own & (vote)) && !(disk[_pid] & (vote)) -> \
       disk[_pid] = disk[_pid] | (vote); printf("@flush %d %d\n", _pid, vote); settle }
/* S1: the log gives the votes back. What was decided and not flushed is gone, and nobody has seen it. */
#ifdef WEAK_FORGET
#define recovered 0
#else
#define recovered disk[_pid]
#endif
#define CRASH \
  :: d_step { own != recovered -> own = recovered; printf("@crash %d\n", _pid); settle }
#else
#define FLUSH(vote)
#define CRASH
#endif

/* V* is the highest view of the others at the time; the lowest that they can truthfully say is that of their highest vote. */
#ifdef AMNESIA
/* A loss after which nothing can be signed in these views is left out: it is the silence of a member that just does not vote. */
#define isThere(i, v) (known[i] & (NOTARIZE(v) | NULLIFY(v) | (rivalView == (v) -> NOTARIZE(RIVAL) : 0)))
#ifdef ORDERED
#define viewIn(i) (isThere(i, now) -> now : top[i])
#define dropTops top[0] = 0; top[1] = 0; top[2] = 0
#else
#define dropTops skip
#define viewIn(i) (isThere(i, 4) -> 4 : (isThere(i, 3) -> 3 : (isThere(i, 2) -> 2 : 1)))
#endif
#if defined(WEAK_AMNESIA_STALE_REPORTS)
#define highestReported(i, j) 1
#elif defined(WEAK_AMNESIA_FEW_REPORTS)
#define highestReported(i, j) (viewIn(i) < viewIn(j) -> viewIn(i) : viewIn(j))
#else
#define highestReported(i, j) (viewIn(i) > viewIn(j) -> viewIn(i) : viewIn(j))
#endif
#define isAnyLost (floor[0] || floor[1] || floor[2])
#define LOSE(me, i, j) \
  :: d_step { _pid == me && known[me] && !isAnyLost && firstVote(1 + highestReported(i, j)) <= VIEWS -> \
       floor[me] = 1 + highestReported(i, j); known[me] = 0; dropTops; printf("@lose %d %d\n", me, floor[me]); settle }
#else
#define LOSE(me, i, j)
#endif

/* Nothing of a view is signed any more: its votes are dead but for their certificates, and the finalize votes that E1 looks at. */
#ifdef ORDERED
#define forget(words) \
  words[0] = words[0] & ~(BIT(11) - 1); words[1] = words[1] & ~(BIT(11) - 1); words[2] = words[2] & ~(BIT(11) - 1)
#ifdef AMNESIA
#define noteTop(i) if :: !isAnyLost && isThere(i, now) -> top[i] = now :: else fi
#define forgetKnown noteTop(0); noteTop(1); noteTop(2); forget(known)
#elif defined(WEAK_SEND_BEFORE_FLUSH)
#define forgetKnown forget(known); forget(disk)
#elif defined(CRASHES)
#define forgetKnown forget(known)
#else
#define forgetKnown skip
#endif
#ifdef EPOCHS
#define forgetNode(n) chain[n] = 0; closing = closing & ~BIT(n); repeated = repeated & ~BIT(n)
#else
#define forgetNode(n) chain[n] = 0
#endif
#define forgetUnnotarized(n) if :: viewOf(n) == now && !(notarized(certified) & BIT(n)) -> forgetNode(n) :: else fi
#define NEXT_VIEW \
  :: d_step { _pid == 0 && now < VIEWS -> \
       past = certified; forgetKnown; forget(sent); forgetUnnotarized(now); forgetUnnotarized(RIVAL); now++; settle }
#else
#define NEXT_VIEW
#endif

#define PROPOSE_ANY(n, v, p) PROPOSE(n, v, p) PROPOSE_CLOSING(n, v, p)
#define PROPOSE_EITHER(v, p) PROPOSE_ANY(v, v, p) PROPOSE_ANY(RIVAL, v, p)
#define DIVERGE_ANY(n) DIVERGE(n, 1) DIVERGE(n, 2) DIVERGE(n, 3) DIVERGE(n, 4) DIVERGE(n, RIVAL)
#define OF_NODE(n) \
  VOTE(n) FINISH(n) FINISH_OTHER(n) DIVERGE_ANY(n) ENTER_NEXT(n) FLUSH(NOTARIZE(n)) FLUSH(FINALIZE(n)) \
  FLUSH(FINALIZE_OTHER(n)) FLUSH(ENTER(n))
#define OF_VIEW(v) GIVE_UP(v) FLUSH(NULLIFY(v)) PROPOSE_EITHER(v, 0) PROPOSE_ANY(v, v, RIVAL)

active [3] proctype member() {
end:
  do
  OF_VIEW(1) OF_NODE(1) OF_NODE(RIVAL)
  OF_VIEW(2) OF_NODE(2) PROPOSE_EITHER(2, 1)
#if VIEWS > 2
  OF_VIEW(3) OF_NODE(3) PROPOSE_EITHER(3, 1) PROPOSE_EITHER(3, 2)
#endif
#if VIEWS > 3
  OF_VIEW(4) OF_NODE(4) PROPOSE_EITHER(4, 1) PROPOSE_EITHER(4, 2) PROPOSE_EITHER(4, 3)
#endif
  CRASH LOSE(0, 1, 2) LOSE(1, 0, 2) LOSE(2, 0, 1) NEXT_VIEW
  od
}

/* Looks at every state; it can move in none but those that break a property. */
active proctype monitor() {
  bool agreement, oneResult, validity, lemmas;
end:
  d_step {
    !(PROPERTIES) ->
    agreement = AGREEMENT;
    oneResult = ONE_RESULT;
    validity = VALIDITY
  }
#if !defined(ONLY_RESULT) && !defined(ONLY_VALIDITY)
  assert(agreement);
#endif
#if !defined(ONLY_AGREEMENT) && !defined(ONLY_VALIDITY)
  assert(oneResult);
#endif
#if !defined(ONLY_AGREEMENT) && !defined(ONLY_RESULT)
  assert(validity);
#endif
  assert(lemmas)
}
