#include "kernels/gemm/gemm_blocking.h"

#include <algorithm>
#include <array>
#include <span>

#include "kernels/support.h"

namespace penult::kernels {
namespace {

// Vectors of a panel where `applies`; the first rule that does wins.
struct PanelRule {
  int vecs;
  bool (*applies)(const GemmShape&);
};

bool always(const GemmShape&) { return true; }

constexpr std::array kAvx2Rules = {
    // 3x32 loads 7 vectors a step where 6x16 loads 8, and has half the panels, but twice the bytes
    // of weights a step: a panel of it takes half of the L1 cache at K = 128. At 64 and 96 it is 1
    // to 4 % faster, at 256 5 to 10 % slower. Where K is no whole number of turns (a first layer of
    // three colours) 6x16 has the shorter loop.
    PanelRule{4, [](const GemmShape& s) { return s.reduction <= 128 && s.reduction % 8 == 0; }},
    // 6x16 is within a few percent of the best everywhere.
    PanelRule{2, always},
};

constexpr std::array kAvx512Rules = {
    // 6x64 has 10 loads and half of the panels where 14x32 has 16: up to K = 192 it is 2 to 15 %
    // faster (docs/decisions/0019), at 256 even, and above it slower for the 49 rows of a 7x7 map.
    PanelRule{4, [](const GemmShape& s) { return s.reduction <= 192; }},
    PanelRule{2, always},
};

constexpr std::array kScalarRules = {PanelRule{4, always}};

std::span<const PanelRule> rules_of(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return kScalarRules;
    case Isa::kAvx2:
      return kAvx2Rules;
    case Isa::kPortable16:
    case Isa::kAvx512:
      return kAvx512Rules;
  }
  return kScalarRules;
}

bool has_panel(const GemmTiles& tiles, int64_t vecs) {
  return vecs >= 1 && vecs <= 4 && tiles.rows[vecs - 1] > 0;
}

// Appends `vecs` vectors as one or two panels; false if that cannot be done.
bool append_rest(const GemmTiles& tiles, int64_t vecs, std::vector<int64_t>& widths) {
  if (vecs == 0) return true;
  for (int64_t second = 0; second <= vecs / 2; ++second) {
    if (!has_panel(tiles, vecs - second) || (second > 0 && !has_panel(tiles, second))) continue;
    widths.push_back(vecs - second);
    if (second > 0) widths.push_back(second);
    return true;
  }
  return false;
}

}  // namespace

const GemmTiles& gemm_tiles(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return kGemmTilesScalar;
    case Isa::kPortable16:
      return kGemmTilesPortable16;
    case Isa::kAvx2:
      return kGemmTilesAvx2;
    case Isa::kAvx512:
      return kGemmTilesAvx512;
  }
  return kGemmTilesScalar;
}

// As many panels of the rule's width as leave a rest that other panels can do: 40 channels are 24 +
// 16 with AVX2, and not 32 + 16 with 8 of padding.
std::vector<int64_t> split_panels(Isa isa, const GemmShape& shape) {
  const GemmTiles& tiles = gemm_tiles(isa);
  const auto rules = rules_of(isa);
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [&](const PanelRule& r) { return r.applies(shape); });
  // Padding to whole vectors, or as far as the pixel goes where no panel is that narrow.
  for (const int64_t grain : {int64_t{tiles.lanes}, kChannelPad}) {
    const int64_t vecs = round_up(shape.oc, grain) / tiles.lanes;
    for (int64_t count = vecs / rule->vecs; count >= 0; --count) {
      std::vector<int64_t> widths(static_cast<size_t>(count), rule->vecs);
      if (!append_rest(tiles, vecs - count * rule->vecs, widths)) continue;
      std::vector<int64_t> panels = {0};
      for (const int64_t width : widths) panels.push_back(panels.back() + width * tiles.lanes);
      return panels;
    }
  }
  return {0};  // not reached: kChannelPad is one panel of every ISA
}

// A chunk's sources fill a third of a 512 KB L2 (96-256 KB measured alike), the rest is for panel
// and results. At most 512 rows, so that their table of addresses stays in L1.
int64_t chunk_rows(int64_t src_bytes_per_row) {
  constexpr int64_t kChunkBytes = 160 * 1024;
  return std::clamp<int64_t>(kChunkBytes / std::max<int64_t>(1, src_bytes_per_row), 48, 512);
}

}  // namespace penult::kernels
