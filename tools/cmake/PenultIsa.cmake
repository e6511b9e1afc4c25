# Which flags each ISA level's kernel files get: the only place where they stand.
# Not -march=<cpu>: tuning for one model makes gcc fold loads into FMAs and starves the load ports.
set(PENULT_ISAS scalar portable16 avx2 avx512)
set(PENULT_ISA_FLAGS_scalar "")
# 64-byte vectors are never passed between functions, so their calling convention does not matter.
# No processor has the registers for unrolled loops of them: rolled, they compile in seconds.
set(PENULT_ISA_FLAGS_portable16 -Wno-psabi -DPENULT_ROLLED_LOOPS)
set(PENULT_ISA_FLAGS_avx2 -mavx2 -mfma)
# gcc 12 takes the undefined operand inside its own _mm512_min_ps for a mistake (PR 105593).
set(PENULT_ISA_FLAGS_avx512 -mavx2 -mfma -mavx512f -mavx512bw -mavx512dq -mavx512vl
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)

# penult_isa_sources(TARGET ISA FILE...): adds files compiled for one level.
function(penult_isa_sources target isa)
  target_sources(${target} PRIVATE ${ARGN})
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${PENULT_ISA_FLAGS_${isa}}")
endfunction()
