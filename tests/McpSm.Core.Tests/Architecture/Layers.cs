using Mono.Cecil;
using NetArchTest.Rules;

namespace McpSm.Core.Tests.Architecture;

/// <summary>The layers of an assembly: its folders, which are its namespaces.</summary>
/// <param name="root">The namespace of the assembly, which is the highest layer.</param>
/// <param name="order">The folders, the highest first.</param>
/// <param name="foldersInRootNamespace">The types of folders that are in the root namespace all the same, by name.</param>
internal sealed class Layers(string root, IReadOnlyList<string> order, Dictionary<string, string> foldersInRootNamespace)
{
    /// <summary>A type that may use one type of a higher layer.</summary>
    public (string Type, string Used) Allowed { get; init; }

    /// <summary>Returns each type that uses a higher layer, and the layer.</summary>
    /// <param name="assembly">The path of the compiled assembly.</param>
    public IReadOnlyList<string> FindViolations(string assembly)
    {
        var types = Types.FromFile(assembly, [Path.GetDirectoryName(typeof(object).Assembly.Location)!, AppContext.BaseDirectory]);
        var above = types.That().MeetCustomRule(IsInRoot).GetTypes().Select(type => type.FullName).ToList();
        var violations = types.That().MeetCustomRule(type => FolderOf(type) is { Length: > 0 } folder && !order.Contains(folder)).GetTypes()
            .Select(type => $"{type.FullName} is in a folder that is not in the order").ToList();
        foreach (var folder in order)
        {
            AddViolations(type => FolderOf(type) == folder && type.FullName != Allowed.Type, above);
            AddViolations(type => FolderOf(type) == folder && type.FullName == Allowed.Type, above.Where(name => name != Allowed.Used));
            above.Add($"{root}.{folder}");
            above.AddRange(foldersInRootNamespace.Where(type => type.Value == folder).Select(type => $"{root}.{type.Key}"));
        }
        return violations;

        void AddViolations(Func<TypeDefinition, bool> isOfLayer, IEnumerable<string> higher) => violations.AddRange(types.That().MeetCustomRule(isOfLayer)
            .ShouldNot().HaveDependencyOnAny([.. higher]).GetResult().FailingTypes.Select(type => $"{type.FullName}: {type.Explanation}"));
    }

    private bool IsInRoot(TypeDefinition type) => FolderOf(type) == "";

    /// <summary>Returns the folder of a type; empty for the root, null for a type that the compiler has put into another namespace.</summary>
    private string? FolderOf(TypeDefinition type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }
        return type.Namespace == root ? foldersInRootNamespace.GetValueOrDefault(type.Name, "")
            : type.Namespace.StartsWith(root + ".", StringComparison.Ordinal) ? type.Namespace[(root.Length + 1)..].Split('.')[0] : null;
    }
}
