using System.Management.Automation;
using System.Xml.Linq;

namespace McpSm.Help;

/// <summary>The file in which PowerShell looks up the help of a binary module's cmdlets: words of the pages, facts of the engine.</summary>
internal sealed class Maml
{
    private static readonly XNamespace Msh = "http://msh";
    private static readonly XNamespace M = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace C = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace D = "http://schemas.microsoft.com/maml/dev/2004/10";

    // What every cmdlet that can be asked beforehand says of it.
    private static readonly Dictionary<string, IReadOnlyList<string>> Common = new()
    {
        ["WhatIf"] = ["Shows what would be done, and does nothing."],
        ["Confirm"] = ["Asks before each change."],
    };

    private readonly XElement _items = new(Msh + "helpItems", new XAttribute("schema", "maml"),
        new XAttribute(XNamespace.Xmlns + "maml", M), new XAttribute(XNamespace.Xmlns + "command", C), new XAttribute(XNamespace.Xmlns + "dev", D));

    /// <exception cref="FormatException">The page is not that of the command as it is.</exception>
    public void Add(CommandInfo command, CommandPage page)
    {
        var sets = command.ParameterSets.Where(s => s.Parameters.Any(IsOurs) || command.ParameterSets.Count == 1).OrderByDescending(s => s.IsDefault).ToList();
        var parameters = sets.SelectMany(s => s.Parameters).Where(IsOurs).GroupBy(p => p.Name).Select(g => g.First()).ToList();
        Require(page.Name == command.Name, $"its heading is not {command.Name}.");
        Require(page.Synopsis.Count == 1, "its SYNOPSIS is one paragraph.");
        Require(page.Examples.Count >= 2, "there are fewer than two examples.");
        foreach (var gone in page.Parameters.Keys.Except(parameters.Select(p => p.Name)))
        {
            throw new FormatException($"{command.Name} has no parameter -{gone}.");
        }
        foreach (var missing in parameters.Where(p => Words(p, page) is not { Count: > 0 }))
        {
            throw new FormatException($"-{missing.Name} is not explained.");
        }
        var (verb, noun) = (command.Name.Split('-')[0], command.Name.Split('-')[1]);
        _items.Add(new XElement(C + "command",
            new XElement(C + "details", new XElement(C + "name", command.Name), new XElement(C + "verb", verb), new XElement(C + "noun", noun),
                Text(M + "description", page.Synopsis)),
            Text(M + "description", page.Description),
            new XElement(C + "syntax", sets.Select(set => new XElement(C + "syntaxItem", new XElement(M + "name", command.Name),
                set.Parameters.Where(IsOurs).OrderBy(p => p.Position < 0 ? int.MaxValue : p.Position).ThenByDescending(p => p.IsMandatory).Select(p => Parameter(p, page))))),
            new XElement(C + "parameters", parameters.OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => Parameter(p, page))),
            new XElement(C + "inputTypes", parameters.Where(p => p.ValueFromPipeline).Select(p => Typed(C + "inputType", TypeName(p.ParameterType), $"By value, for -{p.Name}."))),
            new XElement(C + "returnValues", command.OutputType.Select(t => Typed(C + "returnValue", t.Name.Split('.')[^1], ""))),
            page.Notes.Count == 0 ? null : new XElement(M + "alertSet", Text(M + "alert", page.Notes)),
            new XElement(C + "examples", page.Examples.Select((example, i) => new XElement(C + "example",
                new XElement(M + "title", $"----------  Example {i + 1}: {example.Title}  ----------"), new XElement(D + "code", example.Code),
                // Without lines of their own the engine draws the next title beside this example.
                Text(D + "remarks", [.. example.Remarks, "", ""])))),
            new XElement(C + "relatedLinks", Link("Online", HelpUri(command)), page.Links.Select(l => Link(l, "")))));
    }

    public void Save(string path) => new XDocument(_items).Save(path);

    /// <summary>A cmdlet says it itself. A function that is not an advanced one cannot: its page lies beside those of the module's cmdlets.</summary>
    private static string HelpUri(CommandInfo command) => command is CmdletInfo cmdlet
        ? new CommandMetadata(cmdlet).HelpUri
        : new Uri(new Uri(HelpUri(command.Module.ExportedCmdlets.Values.First())), command.Name + ".md").AbsoluteUri;

    private static bool IsOurs(CommandParameterInfo parameter) =>
        !Cmdlet.CommonParameters.Contains(parameter.Name);

    private static IReadOnlyList<string>? Words(CommandParameterInfo parameter, CommandPage page) =>
        page.Parameters.GetValueOrDefault(parameter.Name) ?? Common.GetValueOrDefault(parameter.Name);

    private static XElement Parameter(CommandParameterInfo parameter, CommandPage page)
    {
        var isSwitch = parameter.ParameterType == typeof(SwitchParameter);
        var pipeline = (parameter.ValueFromPipeline, parameter.ValueFromPipelineByPropertyName) switch
        {
            (true, true) => "true (ByValue, ByPropertyName)",
            (true, _) => "true (ByValue)",
            (_, true) => "true (ByPropertyName)",
            _ => "false",
        };
        var values = parameter.Attributes.OfType<ValidateSetAttribute>().SelectMany(v => v.ValidValues).ToList();
        var words = Words(parameter, page)!;
        return new XElement(C + "parameter",
            new XAttribute("required", parameter.IsMandatory ? "true" : "false"), new XAttribute("variableLength", parameter.ParameterType.IsArray ? "true" : "false"),
            new XAttribute("globbing", parameter.Attributes.Any(a => a is SupportsWildcardsAttribute) ? "true" : "false"), new XAttribute("pipelineInput", pipeline),
            new XAttribute("position", parameter.Position < 0 ? "named" : $"{parameter.Position}"), new XAttribute("aliases", string.Join(", ", parameter.Aliases)),
            new XElement(M + "name", parameter.Name),
            Text(M + "description", values.Count == 0 ? words : [.. words, $"Values: {string.Join(", ", values)}."]),
            isSwitch ? null : new XElement(C + "parameterValue", new XAttribute("required", "true"), new XAttribute("variableLength", "false"), TypeName(parameter.ParameterType)),
            new XElement(D + "type", new XElement(M + "name", TypeName(parameter.ParameterType)), new XElement(M + "uri")),
            new XElement(D + "defaultValue", isSwitch ? "False" : "None"));
    }

    private static string TypeName(Type type) => Nullable.GetUnderlyingType(type) is { } value ? TypeName(value) : type.Name;

    private static XElement Typed(XName name, string type, string about) =>
        new(name, new XElement(D + "type", new XElement(M + "name", type)), Text(M + "description", [about]));

    private static XElement Link(string text, string uri) =>
        new(M + "navigationLink", new XElement(M + "linkText", text), new XElement(M + "uri", uri));

    private static XElement Text(XName name, IReadOnlyList<string> paragraphs) => new(name, paragraphs.Select(p => new XElement(M + "para", p)));

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new FormatException(otherwise);
        }
    }
}
