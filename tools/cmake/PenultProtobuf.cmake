# Protocol Buffers for converters/onnx: protobuf::libprotobuf-lite (static: nothing to load at start)
# and protobuf::protoc. From version 22 on the library needs Abseil, which was never tried.
set(Protobuf_USE_STATIC_LIBS ON)
find_package(Protobuf 3.12 MODULE QUIET)
if(NOT Protobuf_FOUND OR NOT TARGET protobuf::libprotobuf-lite OR NOT TARGET protobuf::protoc
   OR Protobuf_VERSION VERSION_GREATER_EQUAL 4)
  message(FATAL_ERROR
    "penult: the converters need Protocol Buffers 3.12 to 3.21, compiler and static library; "
    "found: ${Protobuf_VERSION} ${Protobuf_LITE_LIBRARY} ${Protobuf_PROTOC_EXECUTABLE}\n"
    "Debian: apt-get install protobuf-compiler libprotobuf-dev\n"
    "Or build without them: -DPENULT_BUILD_CONVERTERS=OFF")
endif()
