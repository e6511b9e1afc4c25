# Which flags each ISA level's kernel files get: the only place where they stand.
# Not -march=<cpu>: tuning for one model makes gcc fold loads into FMAs and starves the load ports.
set(PENULT_ISA_FLAGS_scalar "")
set(PENULT_ISA_FLAGS_avx2 -mavx2 -mfma)

# penult_isa_sources(TARGET ISA FILE...): adds files compiled for one level.
function(penult_isa_sources target isa)
  target_sources(${target} PRIVATE ${ARGN})
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${PENULT_ISA_FLAGS_${isa}}")
endfunction()
