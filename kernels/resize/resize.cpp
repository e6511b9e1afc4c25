#include "kernels/resize/resize.h"

#include <algorithm>
#include <cstring>

#include "kernels/resize/resize_params.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

constexpr int64_t kRoom = 16;  // bytes that vectors may read or write behind a row

struct Passes {
  void (*row)(const ResizeRow&);
  void (*blend)(const ResizeBlend&);
};

Passes passes_of(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      break;
    case Isa::kPortable16:
      return {resize_row_u8_portable16, resize_blend_u8_portable16};
    case Isa::kAvx2:
      return {resize_row_u8_avx2, resize_blend_u8_avx2};
    case Isa::kAvx512:
      return {resize_row_u8_avx512, resize_blend_u8_avx512};
  }
  return {resize_row_u8_scalar, resize_blend_u8_scalar};
}

// One resize. Columns of src are counted from the first that is needed.
class Resize {
 public:
  Resize(Isa isa, const ResizeJob& job, ResizeScratch& scratch)
      : passes_(passes_of(isa)),
        job_(job),
        scratch_(scratch),
        resizes_columns_(job.dw != job.sw),
        resizes_rows_(job.dh != job.sh) {
    if (resizes_columns_) prepare_columns();
    if (resizes_rows_) prepare_rows();
  }

  void run(uint8_t* dst, int64_t dst_stride) {
    const bool rows_first = job_.sh - job_.dh > std::max<int64_t>(0, 2 * (job_.sw - job_.dw));
    const int64_t bytes = job_.w * 3;
    for (int64_t y = 0; y < job_.h; ++y, dst += dst_stride) {
      if (!resizes_columns_ && !resizes_rows_) {
        std::memcpy(dst, source(job_.y + y), bytes);
      } else if (!resizes_rows_) {
        resize_row(readable_source(job_.y + y), scratch_.wide.data());
        std::memcpy(dst, scratch_.wide.data(), bytes);
      } else if (!resizes_columns_) {
        blend_source(y, dst, bytes);
      } else if (rows_first) {
        blend_source(y, scratch_.padded.data(), needed_bytes_);
        resize_row(scratch_.padded.data(), scratch_.wide.data());
        std::memcpy(dst, scratch_.wide.data(), bytes);
      } else {
        blend_lines(y, dst);
      }
    }
  }

 private:
  void prepare_columns() {
    ResizeTaps& taps = scratch_.columns;
    make_taps(job_.sw, job_.dw, job_.filter, job_.x, job_.x + job_.w, taps);
    first_column_ = taps.begin();
    needed_bytes_ = (taps.end() - first_column_) * 3;
    pack_for_columns(taps);
    reach_ = taps.first.back() + taps.pairs * 6 + kRoom;
    row_room_ = round_up(job_.w, kPixelGroup) * 3 + kRoom;
    scratch_.padded.resize(std::max(reach_, needed_bytes_));
    scratch_.wide.resize(row_room_);
  }

  void prepare_rows() {
    ResizeTaps& taps = scratch_.rows;
    make_taps(job_.sh, job_.dh, job_.filter, job_.y, job_.y + job_.h, taps);
    pack_for_rows(taps);
    scratch_.taken.resize(taps.pairs * 2);
    next_line_ = taps.begin();
    if (resizes_columns_) scratch_.lines.resize(taps.max_count * row_room_);
  }

  const uint8_t* source(int64_t y) const {
    const int64_t column = resizes_columns_ ? first_column_ : job_.x;
    return job_.src + (y * job_.sw + column) * 3;
  }

  // The same for vectors, which read beyond what they need: not beyond src.
  const uint8_t* readable_source(int64_t y) {
    const int64_t rest = ((job_.sh - y) * job_.sw - first_column_) * 3;
    if (reach_ <= rest) return source(y);
    std::memcpy(scratch_.padded.data(), source(y), needed_bytes_);
    return scratch_.padded.data();
  }

  void resize_row(const uint8_t* src, uint8_t* dst) const {
    const ResizeTaps& taps = scratch_.columns;
    passes_.row({.src = src,
                 .dst = dst,
                 .width = taps.size(),
                 .first = taps.first.data(),
                 .weights = taps.weights.data(),
                 .count = taps.count.data(),
                 .stride = taps.stride,
                 .packed = taps.packed.data(),
                 .pairs = taps.pairs});
  }

  // Row y of the window from the rows taken.
  void blend(int64_t y, uint8_t* dst, int64_t bytes) const {
    const ResizeTaps& taps = scratch_.rows;
    passes_.blend({.rows = scratch_.taken.data(),
                   .dst = dst,
                   .bytes = bytes,
                   .weights = &taps.weights[y * taps.stride],
                   .count = taps.count[y],
                   .packed = &taps.packed[y * taps.pairs * 4],
                   .pairs = taps.pairs});
  }

  // Where a row has fewer taps than others, its last one stands in with weights of zero.
  template <class RowAt>
  void take_rows(int64_t y, const RowAt& row_at) {
    const ResizeTaps& taps = scratch_.rows;
    const int64_t first = taps.first[y], last = first + taps.count[y] - 1;
    for (size_t i = 0; i < scratch_.taken.size(); ++i) {
      scratch_.taken[i] = row_at(std::min(first + static_cast<int64_t>(i), last));
    }
  }

  void blend_source(int64_t y, uint8_t* dst, int64_t bytes) {
    take_rows(y, [&](int64_t row) { return source(row); });
    blend(y, dst, bytes);
  }

  // Each row of src is resized once, into a ring of as many lines as a row of dst has taps.
  void blend_lines(int64_t y, uint8_t* dst) {
    const ResizeTaps& taps = scratch_.rows;
    const auto line = [&](int64_t row) {
      return scratch_.lines.data() + row % taps.max_count * row_room_;
    };
    const int64_t end = taps.first[y] + taps.count[y];
    for (next_line_ = std::max(next_line_, taps.first[y]); next_line_ < end; ++next_line_) {
      resize_row(readable_source(next_line_), line(next_line_));
    }
    take_rows(y, line);
    blend(y, dst, job_.w * 3);
  }

  const Passes passes_;
  const ResizeJob& job_;
  ResizeScratch& scratch_;
  const bool resizes_columns_, resizes_rows_;
  int64_t first_column_ = 0;
  int64_t needed_bytes_ = 0;  // of a row of src
  int64_t reach_ = 0;         // what vectors read of it
  int64_t row_room_ = 0;      // a line between the passes
  int64_t next_line_ = 0;     // the first row of src that is not resized yet
};

}  // namespace

void resize_rgb8(Isa isa, const ResizeJob& job, uint8_t* dst, int64_t dst_stride,
                 ResizeScratch& scratch) {
  Resize(isa, job, scratch).run(dst, dst_stride);
}

}  // namespace penult::kernels
