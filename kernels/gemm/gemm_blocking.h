#pragma once

// Which panel width a product gets, and how its rows are chunked: data, with the reason beside it.
// None of it changes a bit of the result.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "engine/base/cpu_features.h"
#include "kernels/support.h"

namespace penult::kernels {

struct GemmShape {
  int64_t rows;       // of one image
  int64_t reduction;  // K
  int64_t oc;
};

// Channels that the last panel may touch: beyond them the next pixel begins.
inline int64_t channel_room(int64_t oc) { return round_up(oc, kChannelPad); }

struct PanelRule {
  int64_t width;
  bool (*applies)(const GemmShape&);
};

// The first rule that applies and fits into the channel room wins; width 16 always fits.
inline constexpr std::array kAvx2Panels = {
    // 4x24 when 16 would compute more padding (oc = 24, 72, 200).
    PanelRule{24,
              [](const GemmShape& s) { return round_up(s.oc, 24) < round_up(s.oc, kChannelPad); }},
    // 3x32 loads 7 vectors for 12 FMAs where 6x16 loads 8, and pays set-up per tile of 96 sums as
    // 6x16 does, but with half the panels: it wins by 2-5 % where rows are many or K is tiny, and
    // loses 10-25 % once a panel of it (K * 128 bytes) crowds the L2 cache.
    PanelRule{32,
              [](const GemmShape& s) {
                return (s.rows >= 784 && s.reduction <= 1024) || s.reduction <= 32;
              }},
    // 6x16 is within a few percent of the best everywhere.
    PanelRule{16, [](const GemmShape&) { return true; }},
};

// 2x16 is the only shape that fits the baseline's registers.
inline constexpr std::array kScalarPanels = {
    PanelRule{16, [](const GemmShape&) { return true; }},
};

inline int64_t panel_width(Isa isa, const GemmShape& shape) {
  const std::span<const PanelRule> rules =
      isa == Isa::kAvx2 ? std::span<const PanelRule>(kAvx2Panels) : kScalarPanels;
  for (const PanelRule& rule : rules) {
    const bool fits = round_up(shape.oc, rule.width) <= channel_room(shape.oc);
    if (fits && rule.applies(shape)) return rule.width;
  }
  return kChannelPad;
}

// A chunk's sources fill a third of a 512 KB L2 (96-256 KB measured alike), the rest is for panel
// and results. At most 512 rows, so that their table of addresses stays in L1.
inline int64_t chunk_rows(int64_t src_bytes_per_row) {
  constexpr int64_t kChunkBytes = 160 * 1024;
  return std::clamp<int64_t>(kChunkBytes / std::max<int64_t>(1, src_bytes_per_row), 48, 512);
}

}  // namespace penult::kernels
