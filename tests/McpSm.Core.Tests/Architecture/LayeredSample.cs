using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace McpSm.Core.Tests.Architecture;

/// <summary>A small assembly with the folders Upper, Lower, UpperButOther and Base, in this order.</summary>
internal static class LayeredSample
{
    private const string Others = """
        namespace Sample { public class Top; public class Exception1; }
        namespace Sample.Upper { public class Thing { public static string Text() => ""; } public class MarkAttribute : System.Attribute; }
        namespace Sample.Upper.Deeper { public class Thing; }
        namespace Sample.UpperButOther { public class Thing; }
        namespace Sample.Base { public class Thing; }
        """;

    private static readonly List<PortableExecutableReference> References =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))];

    /// <summary>Compiles the sample with code in Lower, and returns the path of the assembly.</summary>
    public static string Compile(DirectoryInfo folder, string code)
    {
        var compilation = CSharpCompilation.Create("Sample",
            [CSharpSyntaxTree.ParseText(Others), CSharpSyntaxTree.ParseText($"namespace Sample.Lower {{ {code} }}")], References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        var path = Path.Combine(folder.CreateSubdirectory($"{Guid.NewGuid():n}").FullName, "Sample.dll");
        var result = compilation.Emit(path);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return path;
    }
}
