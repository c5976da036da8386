module github.com/pictify-io/pictify-go

go 1.19
