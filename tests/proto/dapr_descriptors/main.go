// Writes the descriptors compiled into a Dapr release, as a google.protobuf.FileDescriptorSet, to standard output.
// Which release is up to the module file: go.mod has the one we run, newer.mod the one whose names we serve beforehand.
package main

import (
	"log"
	"os"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	runtimev1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
)

func main() {
	set := &descriptorpb.FileDescriptorSet{}
	added := map[string]bool{}

	// Imports first, as protoc orders them.
	var add func(file protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if added[file.Path()] {
			return
		}
		added[file.Path()] = true
		imports := file.Imports()
		for i := 0; i < imports.Len(); i++ {
			add(imports.Get(i).FileDescriptor)
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
	}
	add(runtimev1.File_dapr_proto_runtime_v1_dapr_proto)
	add(runtimev1.File_dapr_proto_runtime_v1_appcallback_proto)

	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		log.Fatalf("descriptors: encode: %v", err)
	}
	if _, err := os.Stdout.Write(encoded); err != nil {
		log.Fatalf("descriptors: write: %v", err)
	}
}
