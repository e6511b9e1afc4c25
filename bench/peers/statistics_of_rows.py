"""From the times of interleaved rounds to a row: ratios round by round, their median, an interval."""
import random
import statistics

PROBE_LOSS = 0.05  # rounds in which the machine was this much slower than its best do not count


def bootstrap_interval(values, samples=2000, level=0.95):
    """Of the median, by resampling rounds; the same seed every time."""
    pick = random.Random(1)
    medians = sorted(statistics.median(pick.choices(values, k=len(values))) for _ in range(samples))
    tail = (1 - level) / 2
    return medians[int(tail * samples)], medians[int((1 - tail) * samples) - 1]


def usable_rounds(probes):
    """Indices of rounds whose probe of FMA peak is within PROBE_LOSS of the best round's."""
    best = max(probes)
    return [i for i, probe in enumerate(probes) if probe >= (1 - PROBE_LOSS) * best]


def row(times, rounds):
    """times: engine -> a median in ms for each round; rounds: the indices that count."""
    medians = {engine: statistics.median(values[i] for i in rounds) for engine, values in times.items()}
    peers = {engine: ms for engine, ms in medians.items() if engine != "penult"}
    best = min(peers, key=peers.get)
    ratios = [times["penult"][i] / min(times[peer][i] for peer in peers) for i in rounds]
    low, high = bootstrap_interval(ratios)
    return {"medians": medians, "best": best, "ratio": statistics.median(ratios), "low": low, "high": high,
            "rounds": len(rounds)}
